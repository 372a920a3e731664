package policy

import (
	"time"

	"outrigger/policy/classify"
)

// Decide says what to do after an attempt. The reason it gives is the first of
// these that holds, from the one that nothing can mend to the one that time can:
// ambiguous, final, not_replayable, once, attempts_exhausted,
// retry_after_too_long, deadline. Safe for concurrent use.
func (r Retry) Decide(t Try) Decision {
	v := t.Verdict
	// Verdict.Ambiguous is set only where a repeat would else be right, so the
	// operator's word that the upstream recognises repeats is enough.
	if v.Ambiguous && r.Creates != CreatesAlways {
		return Decision{Return, 0, ReasonAmbiguous}
	}
	if !v.Ambiguous && !repeatable(v.Repeat) {
		return Decision{Return, 0, ReasonFinal}
	}
	if !t.Replayable {
		return Decision{Return, 0, ReasonNotReplayable}
	}
	if v.Repeat == classify.Once && t.Once && !fastTimeout(t) {
		return Decision{Return, 0, ReasonOnce}
	}
	left := remaining(t) - max(t.Took, 0)
	if v.Repeat == classify.Await {
		// What such an answer names is an estimate, and often a constant (Hugging Face: 20 s,
		// for minutes): it ends nothing.
		if left <= 0 {
			return Decision{Return, 0, ReasonDeadline}
		}
		return Decision{Wait, 0, ReasonLoading}
	}
	if v.Repeat == classify.Rejoin && !t.Last {
		return r.rejoin(t, left)
	}
	// A pause that no limiter is told of would be paced by nobody: it is a retry.
	line := v.Repeat == classify.Pause && v.Limiter != classify.LimiterNone
	if t.Last || !line && t.Retries >= r.Max {
		return Decision{Return, 0, ReasonExhausted}
	}
	hint := hintOf(v, t.Now)
	// A wait that is not believed ends the request too: whoever says a day, refuses.
	if hint > r.AfterMax || v.Wait > r.AfterMax {
		return Decision{Return, 0, ReasonTooLong}
	}
	// An attempt that the deadline cuts off would turn an answer into none, and a
	// create that was surely not carried out into one that may have been.
	if hint >= left {
		return Decision{Return, 0, ReasonDeadline}
	}
	if line {
		return Decision{Line, 0, ReasonRateLimit}
	}
	return Decision{Again, r.delay(t, hint, left), ReasonRetry}
}

// rejoin waits for the same call, which is being made already: as long as the server says, else
// for longer and longer.
func (r Retry) rejoin(t Try, left time.Duration) Decision {
	wait := hintOf(t.Verdict, t.Now)
	switch {
	case wait > r.AfterMax, t.Verdict.Wait > r.AfterMax: // believed or not, as above
		return Decision{Return, 0, ReasonTooLong}
	case wait == 0:
		wait = max(r.backoff(t.Rejoins), rejoinUsual)
	}
	if wait = max(wait, rejoinLeast); wait >= left {
		return Decision{Return, 0, ReasonDeadline}
	}
	return Decision{Wait, r.delay(t, wait, left), ReasonRunning}
}

// How long it is waited at the least for a call that is being made: where the server names
// no time, and where it names one.
const (
	rejoinUsual = time.Second
	rejoinLeast = 100 * time.Millisecond
)

// slowTimeout is from how long on a gateway's timeout is believed to be one: the same slow
// call would time out again. The shortest of those known is 30 s (aiand). A sooner 504 comes
// from a gateway whose upstream is away, and passes like a 503.
const slowTimeout = 10 * time.Second

func fastTimeout(t Try) bool {
	return t.Verdict.Outcome == classify.OutcomeTimeout && t.Verdict.Status >= 500 && t.Took < slowTimeout
}

func repeatable(r classify.Repeat) bool {
	switch r {
	case classify.Backoff, classify.Once, classify.Pause, classify.Await, classify.Rejoin:
		return true
	default:
		return false
	}
}

// hintOf returns the wait that the answer asks for and that may be believed.
func hintOf(v classify.Verdict, now time.Time) time.Duration {
	hint := v.Wait
	if v.HintFalse {
		hint = 0
	}
	if v.Until.IsZero() {
		return max(hint, 0)
	}
	return max(hint, v.Until.Sub(now), 0)
}

// forever is a wait that no deadline bounds.
const forever = time.Duration(1<<63 - 1)

// remaining is the time to the deadline; 0 or less when it has passed.
func remaining(t Try) time.Duration {
	if t.Deadline.IsZero() {
		return forever
	}
	return t.Deadline.Sub(t.Now)
}

// The jitter on top of a server's hint: a fifth of it, but at most a second. A
// hint is a minimum (OpenAI's rate-limit guide), so jitter only adds; without
// any, all who were refused together would come back together.
const (
	hintJitterShare = 5
	hintJitterMax   = time.Second
)

// The jitter of a backoff: up to a quarter more. The waits of OpenAI's and Anthropic's SDKs
// are min(8 s, 0.5 s·2ⁿ) less up to a quarter (openai-python, _base_client.py,
// _calculate_retry_timeout), those of Claude Code without a cap that short. So retry by
// retry a request is as patient here as its client would have been, and never makes more
// calls in the time of an outage. Full jitter would spread better, and give up at half the time.
const backoffJitterShare = 4

// illPause is the longest backoff while others succeed: to wait for longer would be to
// wait for an outage to end, and there is none. SDKs wait for no longer than that by default
// before they give up (two retries). With 2 s, 300 calls of which every second attempt fails
// were over after 22 s; with 1 s after 19, for the same number of attempts.
const illPause = time.Second

// delay draws a wait that ends before left: with a hint from [hint, hint+20 %], else
// from [1, 5/4] of min(Cap, Base·2ⁿ), where others succeed of at most 1 s.
func (r Retry) delay(t Try, hint, left time.Duration) time.Duration {
	rand := t.Rand
	if !(rand >= 0 && rand < 1) { // NaN too
		rand = 0.5
	}
	least, spread := hint, min(hint/hintJitterShare, hintJitterMax)
	if hint == 0 {
		least = r.backoff(t.Retries)
		if t.Ill {
			least = min(least, max(r.Base, illPause))
		}
		least = min(least, left/(backoffJitterShare+1)*backoffJitterShare)
		spread = least / backoffJitterShare
	}
	return least + time.Duration(rand*float64(min(spread, left-least)))
}

// Pause is the wait of a retry after n others that no server named. Rand is in [0, 1).
func (r Retry) Pause(n int, rand float64) time.Duration {
	return r.delay(Try{Retries: n, Rand: rand}, 0, forever)
}

// Backoff is the wait before another try after n others, with full jitter: between
// nothing and min(Cap, Base·2ⁿ). Rand is in [0, 1).
func (r Retry) Backoff(n int, rand float64) time.Duration {
	return time.Duration(rand * float64(r.backoff(n)))
}

// backoff is min(Cap, Base·2ⁿ) for the retry after n others.
func (r Retry) backoff(n int) time.Duration {
	d := max(r.Base, 0)
	for i := 0; i < n && d > 0; i++ {
		if d > r.Cap/2 { // doubled it would be over the cap, or overflow
			return max(r.Cap, 0)
		}
		d *= 2
	}
	return max(min(d, r.Cap), 0)
}
