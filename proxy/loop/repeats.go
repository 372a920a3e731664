package loop

import (
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/body"
	"outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
)

// Values of x-outrigger-repeat.
const (
	RepeatSingle     = "single"     // attempted once
	RepeatRemembered = "remembered" // not attempted: the answer is that of the failure before
)

// repeating is what a run knows of calls that are identical to its own.
type repeating struct {
	Caller      *http.Request     // as it came
	Few         int               // attempts that the client's own retries leave room for; 0: all
	Mark        string            // x-outrigger-repeat; "" on a call that is no repeat
	Answer      *negative.Failure // to be given instead of an attempt
	named       bool              // the hashes below are set
	owner, Call [32]byte
	Body        [32]byte
}

// remembered returns the answer of the failure before, if the caller is to get that.
func (x *Run) remembered(out *http.Request) (*http.Response, error) {
	x.StopTimer()
	last := x.Repeat.Answer
	x.repeatFailed(last, false)
	if last.Answer == nil {
		e := *last.Err
		return nil, &e
	}
	x.Record.Source = call.SourceReplay
	return x.kept(out, last.Answer), nil
}

// decide says what to do after attempt a, given what is known of calls like this one.
func (x *Run) decide(a *attempt.Attempt) policy.Decision {
	retry, try, trend := x.Config.Retry, x.try(a), x.Trend()
	if ok := a.Verdict.Outcome == classify.OutcomeOK; ok || mayPass(a.Verdict) {
		trend.Note(try.Now, ok)
	}
	switch {
	case x.Repeat.Mark != "":
		retry.Max = 0
	case x.Repeat.Few > 0 && !trend.Ill(try.Now):
		return retry.DecideFew(try, x.Repeat.Few)
	}
	return retry.Decide(try)
}

// recoveryStep is how often a request that waits for a long time looks whether others
// succeed meanwhile.
const recoveryStep = time.Second

// pause waits for as long as was decided, less once calls like this one succeed again.
func (x *Run) pause(decision policy.Decision) error {
	d, began := decision.Delay, time.Now()
	if d > 0 {
		defer x.waited(observe.SpanBackoff, string(decision.Reason), began)
	}
	for x.Repeat.Few > 0 && d > recoveryStep {
		if err := x.Sleep(recoveryStep); err != nil {
			return err
		}
		if x.Trend().SucceededAfter(began) {
			return nil
		}
		d -= recoveryStep
	}
	return x.Sleep(d)
}

// hadSingle reports whether the call is a repeat that has had its attempt.
func (x *Run) hadSingle() bool { return x.Repeat.Mark != "" && x.Record.Attempts > 0 }

// gatePatience is how long the request still waits while its upstream is down. A repeat
// waits no longer than those need that were let out just before.
func (x *Run) gatePatience() time.Duration {
	wait := max(x.Config.Breaker.Wait-x.Record.Gate, 0)
	if x.Repeat.Mark != "" {
		wait = min(wait, time.Second)
	}
	return wait
}

// concludeAnswer notes how the call ended with a's answer, or its lack.
func (x *Run) concludeAnswer(a *attempt.Attempt) {
	switch {
	case a.Verdict.Outcome == classify.OutcomeOK:
		if x.Repeat.Caller != nil && x.Failures.Any(time.Now()) {
			x.NameCall()
			x.Failures.Succeeded(x.Repeat.Call)
		}
	case mayPass(a.Verdict) && !x.Left():
		x.repeatFailed(x.failureOf(a), true)
	}
}

// concludeRefused notes how the call ended when no further attempt could be made.
func (x *Run) concludeRefused(err error) {
	var last *negative.Failure
	switch {
	case x.Left(), errors.Is(err, apierror.ErrDraining):
		return
	case x.last != nil && !mayPass(x.last.Verdict), x.doubtful:
		return
	case x.Record.Attempts == 0 && x.Repeat.Mark == "":
		return // no attempt, no failure
	case x.last == nil && x.LastLoss != nil && x.LastLoss.Code == apierror.ResourcesExhausted:
		return // it is this machine's, and may be over at any moment
	case x.last != nil:
		last = negative.Keep(x.last)
	case x.LastLoss != nil:
		last = &negative.Failure{Err: x.LastLoss}
	}
	x.repeatFailed(last, x.Record.Attempts > 0)
}

// failureOf returns a's failure, for callers that are to get it again.
func (x *Run) failureOf(a *attempt.Attempt) *negative.Failure {
	if x.Repeat.Few == 0 {
		return nil
	}
	if s := a.Save(); s != nil {
		return negative.Keep(s)
	}
	var e *apierror.Error
	if a.Failure != classify.None && errors.As(x.lost(a), &e) {
		return &negative.Failure{Err: e}
	}
	return nil
}

// repeatFailed remembers that the call failed for good.
func (x *Run) repeatFailed(last *negative.Failure, attempted bool) {
	if x.Repeat.Caller == nil {
		return
	}
	x.NameCall()
	if !x.NameBody() {
		return
	}
	if x.Repeat.Few == 0 {
		last = nil
	}
	x.Failures.Failed(time.Now(), x.Repeat.owner, x.Repeat.Call, x.Repeat.Body, last, attempted)
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

// Trend returns how calls to the same place fare at the present upstream.
func (x *Run) Trend() *policy.Trend { return x.Up.Trends.Of(x.Path, x.Facts.Model) }

// NameCall hashes all of the call but its body: who makes it and what it asks for, as
// the caller wrote it.
func (x *Run) NameCall() {
	if x.Repeat.named {
		return
	}
	r, secret := x.Repeat.Caller, x.Names.Secret
	var text carrier.CredentialHash
	text.Buf = x.Names.Caller(append(text.Buf, "owner"...), r)
	x.Repeat.owner = call.Keyed(secret, text.Buf)

	text.Buf = append(append(text.Buf[:0], "repeat"...), x.Repeat.owner[:]...)
	text.Buf = x.Names.Headers(text.Buf, r, carrier.Shape|carrier.Doubtful)
	text.Add([]string{r.Method, x.Target, r.RequestURI, x.Identity.Key})
	text.Buf = binary.BigEndian.AppendUint64(text.Buf, uint64(x.Size))
	x.Repeat.Call, x.Repeat.named = call.Keyed(secret, text.Buf), true
}

// NameBody hashes the body, and reports whether it is still there to be hashed.
func (x *Run) NameBody() bool {
	if x.Size == 0 || x.Repeat.Body != ([32]byte{}) {
		return true
	}
	if x.Kept == nil {
		return false
	}
	h := body.BodyHashes.Get().(hash.Hash)
	defer body.BodyHashes.Put(h)
	h.Reset()
	reader := x.Kept.Reader()
	defer func() { _ = reader.Close() }()
	if n, err := io.Copy(h, reader); err != nil || n != x.Size {
		return false
	}
	h.Sum(x.Repeat.Body[:0])
	return true
}
