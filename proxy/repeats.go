package proxy

import (
	"errors"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
)

// maxRepeats bounds the calls remembered as failed. Each is a few hundred bytes, and at
// most maxRepeatBody more where its answer is kept.
const (
	maxRepeats    = 1024
	maxRepeatBody = 4 << 10
)

// Values of x-outrigger-repeat.
const (
	repeatSingle     = "single"     // attempted once
	repeatRemembered = "remembered" // not attempted: the answer is that of the failure before
)

// failures remembers the calls that failed for good. Owners, calls and bodies are hashes.
type failures = policy.Repeats[[32]byte, [32]byte, [32]byte, *failure]

// failure is how a call failed: an answer of the upstream's, or an error of
// Outrigger's own. Only calls of clients that retry by themselves have one.
type failure struct {
	answer *saved
	err    *Error
}

// repeating is what an exchange knows of calls that are identical to its own.
type repeating struct {
	caller      *http.Request // as it came
	few         int           // attempts that the client's own retries leave room for; 0: all
	mark        string        // x-outrigger-repeat; "" on a call that is no repeat
	answer      *failure      // to be given instead of an attempt
	named       bool          // the hashes below are set
	owner, call [32]byte
	body        [32]byte
}

// recall looks whether the call is the repeat of one that failed for good: then it is
// attempted once, or, for a client that retries whatever it is told and whose own tries
// are spent, not at all.
func (x *exchange) recall(r *http.Request) {
	if isWebSocket(r.Header) || x.once != nil || x.p.config.Retry.Max == 0 {
		return // nothing is attempted twice
	}
	x.repeat.caller = r
	if x.p.config.Retry.ClientRetries != policy.ClientRetriesAllow {
		x.repeat.few = policy.SelfRetries(r.UserAgent())
	}
	now := time.Now()
	if !x.p.failures.Any(now) {
		return
	}
	x.nameCall()
	if !x.p.failures.Known(x.repeat.call) || !x.nameBody() {
		return
	}
	last, ago, repeat := x.p.failures.Take(now, x.repeat.call, x.repeat.body)
	switch {
	case !repeat:
	case last != nil && x.repeat.few > 0 && x.identity.key == "" && ago < policy.RepeatTime && !x.trend().SucceededAfter(now.Add(-ago)):
		x.repeat.mark, x.repeat.answer = repeatRemembered, last
	default:
		x.repeat.mark = repeatSingle
	}
}

// remembered returns the answer of the failure before, if the caller is to get that.
func (x *exchange) remembered(out *http.Request) (*http.Response, error) {
	x.stopTimer()
	last := x.repeat.answer
	x.repeatFailed(last, false)
	if last.answer == nil {
		e := *last.err
		return nil, &e
	}
	x.record.source = sourceReplay
	return x.kept(out, last.answer), nil
}

// decide says what to do after attempt a, given what is known of calls like this one.
func (x *exchange) decide(a *attempt) policy.Decision {
	retry, try, trend := x.p.config.Retry, x.try(a), x.trend()
	if ok := a.verdict.Outcome == classify.OutcomeOK; ok || mayPass(a.verdict) {
		trend.Note(try.Now, ok)
	}
	switch {
	case x.repeat.mark != "":
		retry.Max = 0
	case x.repeat.few > 0 && !trend.Ill(try.Now):
		return retry.DecideFew(try, x.repeat.few)
	}
	return retry.Decide(try)
}

// recoveryStep is how often a request that waits for a long time looks whether others
// succeed meanwhile.
const recoveryStep = time.Second

// pause waits for d, less once calls like this one succeed again.
func (x *exchange) pause(d time.Duration) error {
	began := time.Now()
	for x.repeat.few > 0 && d > recoveryStep {
		if err := x.sleep(recoveryStep); err != nil {
			return err
		}
		if x.trend().SucceededAfter(began) {
			return nil
		}
		d -= recoveryStep
	}
	return x.sleep(d)
}

// hadSingle reports whether the call is a repeat that has had its attempt.
func (x *exchange) hadSingle() bool { return x.repeat.mark != "" && x.record.attempts > 0 }

// gatePatience is how long the request still waits while its upstream is down. A repeat
// waits no longer than those need that were let out just before.
func (x *exchange) gatePatience() time.Duration {
	wait := max(x.p.config.Breaker.Wait-x.record.gate, 0)
	if x.repeat.mark != "" {
		wait = min(wait, time.Second)
	}
	return wait
}

// concludeAnswer notes how the call ended with a's answer, or its lack.
func (x *exchange) concludeAnswer(a *attempt) {
	switch {
	case a.verdict.Outcome == classify.OutcomeOK:
		if x.repeat.caller != nil && x.p.failures.Any(time.Now()) {
			x.nameCall()
			x.p.failures.Succeeded(x.repeat.call)
		}
	case mayPass(a.verdict) && !x.left():
		x.repeatFailed(x.failureOf(a), true)
	}
}

// concludeRefused notes how the call ended when no further attempt could be made.
func (x *exchange) concludeRefused(err error) {
	var last *failure
	switch {
	case x.left(), errors.Is(err, errDraining):
		return
	case x.last != nil && !mayPass(x.last.verdict), x.doubtful:
		return
	case x.record.attempts == 0 && x.repeat.mark == "":
		return // no attempt, no failure
	case x.last == nil && x.lastLoss != nil && x.lastLoss.Code == apierror.ResourcesExhausted:
		return // it is this machine's, and may be over at any moment
	case x.last != nil:
		last = keep(x.last)
	case x.lastLoss != nil:
		last = &failure{err: x.lastLoss}
	}
	x.repeatFailed(last, x.record.attempts > 0)
}

// withRepeat returns e with a word on what the repeat of a failed call gets.
func (x *exchange) withRepeat(e *Error) *Error {
	told := *e
	switch {
	case x.repeat.mark == "":
		return e
	case x.record.attempts > 0:
		told.Message += " The same call failed a moment ago, so this repeat was attempted only once."
	case x.repeat.mark == repeatSingle:
		told.Message += " The same call failed a moment ago, so this repeat did not wait for long."
	default:
		told.Message += " That is what the same call was told a moment ago: this repeat was not attempted, since the retries that this client makes by itself were made here already."
	}
	return &told
}

// failureOf returns a's failure, for callers that are to get it again.
func (x *exchange) failureOf(a *attempt) *failure {
	if x.repeat.few == 0 {
		return nil
	}
	if s := a.save(); s != nil {
		return keep(s)
	}
	var e *Error
	if a.failure != classify.None && errors.As(x.lost(a), &e) {
		return &failure{err: e}
	}
	return nil
}

// keep returns the failure with an answer to be given again; nil if it is too long.
func keep(s *saved) *failure {
	if len(s.body) > maxRepeatBody {
		return nil
	}
	return &failure{answer: s.withoutMoment()}
}

// repeatFailed remembers that the call failed for good.
func (x *exchange) repeatFailed(last *failure, attempted bool) {
	if x.repeat.caller == nil {
		return
	}
	x.nameCall()
	if !x.nameBody() {
		return
	}
	if x.repeat.few == 0 {
		last = nil
	}
	x.p.failures.Failed(time.Now(), x.repeat.owner, x.repeat.call, x.repeat.body, last, attempted)
}

// mayPass reports whether a failure is the upstream's own and may be over soon. A
// spent limit is none: waiting for it is not retrying.
func mayPass(v classify.Verdict) bool {
	switch v.Outcome {
	case classify.OutcomeOverloaded, classify.OutcomeFailed, classify.OutcomeTimeout, classify.OutcomeUnreachable, classify.OutcomeBroke:
		return !v.Ambiguous && v.Repeat != classify.Never && v.Repeat != classify.Rejoin
	}
	return false
}

// trend returns how calls to the same place fare at the present upstream.
func (x *exchange) trend() *policy.Trend { return x.up.trends.of(x.path, x.facts.Model) }
