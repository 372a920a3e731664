// Package policy decides: whether an attempt may be repeated and when, how long
// a request may take, whether an upstream is to be left alone, and which dead
// credential need not be asked again. It decides and nothing else: it does not
// send, wait, sleep, log, read the environment or start goroutines. imports_test.go
// holds that for this package and its leaves (classify, endpoint, limit, preset).
//
// # Time and chance are arguments
//
// Functions take now, and random numbers in [0, 1), so that a table can test a
// minute of backoff without a clock. The one exception is Breaker: gobreaker
// reads time.Now by itself, so Breaker does too, and its tests run in a
// testing/synctest bubble.
//
// # A decision is a value with a reason
//
// Retry.Decide looks at one attempt and answers with a Decision. Its Reason is
// what the log and the metrics show, so that every retry, and every retry that
// was not made, can be explained. The budget is not asked by Decide: it is spent
// when the next attempt starts, because a request that waits at an open breaker
// or in the limiter's line is no load on the upstream, and may yet give up.
//
// # The next upstream
//
// Failover.After looks at a failed attempt, with what Retry.Decide made of it, and
// says why to go on to another upstream, or that it should not. Whether there is
// one, and whose breaker lets it through, is the caller's to find out.
//
// # The retry budget
//
// Over any 10 s, retries that failed and that no success has paid for may number a fifth
// of the requests (OUTRIGGER_RETRY_BUDGET) and ten more; each attempt that succeeds pays
// for eight. However much is paid, failed retries stay under two per request, what an SDK
// makes by default.
//
// The arithmetic: let every attempt fail with probability p, whatever the load, and let a
// request take a attempts on average. Of each request's a-1 retries p(a-1) fail, and
// (1-p)a attempts succeed, so success pays for 8(1-p)a. The budget bounds nothing while
// p(a-1) <= 8(1-p)a + 0.2, which holds for every a up to p = 8/9, nor while p(a-1) <= 2. In
// a total outage, p = 1, it is a-1 <= 0.2 + 10/requests: one call and a fifth for each. What
// succeeded before the outage counts for nothing, since success pays for past failures only.
//
// # What a breaker counts
//
// Attempts, not requests, and above all failures in a row: an upstream that is ill, of which
// some calls succeed, is not to be left alone, unless another one could answer instead.
// A breaker that opens stops a running retry. The outcome is reported at the answer's first
// byte, since a stream may last for minutes; a stream that breaks later is one
// more failure, entered by Fail.
//
// # What several attempts tell
//
// Streak, Alone, Loading and Worked look at more than one attempt: refusals that never
// clear, a request that is refused for itself, a model that is being loaded, and
// credentials that worked a moment ago. Package proxy keeps one for each credential and model, and
// turns the decision on the one attempt into theirs.
//
// # Configuration
//
// Retry and BreakerConfig are also the configuration: their tags name the
// variable (without OUTRIGGER_), its default, its range and its meaning. There is
// no second copy of a default anywhere.
package policy
