// Package policy decides: whether and when to retry an attempt, how long a request may
// take, whether to stop calling an upstream, and which refusals to answer from memory.
// It does not send, wait, sleep, log, read the environment or start goroutines.
// imports_test.go checks that for this package and its leaves (classify, endpoint, limit,
// preset).
//
// # Time and chance are arguments
//
// Functions take now, and random numbers in [0, 1), so a table can test a minute of
// backoff without a clock. Breaker is the one exception: gobreaker calls time.Now, so
// Breaker does too, and its tests run in a testing/synctest bubble.
//
// # A decision is a value with a reason
//
// Retry.Decide looks at one attempt and returns a Decision. The log and the metrics show
// its Reason, which explains every retry and every retry that was not made. Decide does
// not spend the budget. The budget is spent when the next attempt starts, because a
// request that waits at an open breaker or in the queue puts no load on the upstream, and
// may still give up.
//
// # Failover
//
// Failover.After looks at a failed attempt, and at what Retry.Decide made of it. It
// returns why to go on to another upstream, or that the request should stay. The caller
// finds out whether there is one, and whose breaker admits the request.
//
// # The retry budget
//
// The budget counts retries that failed and that no success has paid for. Over any 10 s
// they may number a fifth of the requests (OUTRIGGER_RETRY_BUDGET) plus ten. Each
// successful attempt pays for eight. However much is paid, failed retries stay under two
// per request, which is what an SDK makes by default.
//
// The arithmetic: let every attempt fail with probability p, whatever the load, and let a
// request take a attempts on average. Of each request's a-1 retries p(a-1) fail, and
// (1-p)a attempts succeed, so success pays for 8(1-p)a. The budget bounds nothing while
// p(a-1) <= 8(1-p)a + 0.2, which holds for every a up to p = 8/9, nor while p(a-1) <= 2. In
// a total outage, p = 1, it is a-1 <= 0.2 + 10/requests: 1.2 calls for each request.
// Successes before the outage do not help, since success pays for past failures only.
//
// # What a breaker counts
//
// A breaker counts attempts, not requests, and above all consecutive failures. If an
// upstream fails only some calls, Outrigger keeps calling it, unless another one could
// answer instead. A breaker that opens stops a running retry. The outcome is reported at
// the answer's first byte, since a stream may last for minutes. A stream that breaks later
// is one more failure, reported by Fail.
//
// # Decisions over several attempts
//
// Streak, Alone, Loading and Worked look at more than one attempt: refusals that never
// clear, a request that is refused for its own sake, a model that is loading, and
// credentials that worked a moment ago. Package proxy keeps one of each for each
// credential and model. They can override the decision on a single attempt.
//
// # Configuration
//
// Retry and BreakerConfig are also the configuration: their tags name the variable
// (without OUTRIGGER_), its default, its range and its meaning. No default is written
// twice.
package policy
