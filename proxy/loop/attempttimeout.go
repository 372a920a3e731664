package loop

import (
	"context"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/lane"
)

// bounded sets the attempt's own timeout, if it has one: so long after the last byte of
// its body moved, or after its start.
func (x *Run) bounded(a *attempt.Attempt, cancel context.CancelCauseFunc) {
	timeout := x.Up.Attempt
	if timeout <= 0 {
		return
	}
	ahead := policy.Ahead{
		Retries: x.retries, Replayable: x.Replayable(), Create: x.IsCreate(),
		Elsewhere: x.mayGoOn(policy.FailoverOverloaded) && x.elsewhere(),
	}
	if !x.Deadline.IsZero() {
		ahead.Left = time.Until(x.Deadline)
	}
	if timeout = x.Config.Retry.AttemptTimeout(timeout, ahead); timeout > 0 {
		a.Alarm = call.NewAlarm(func() time.Time { return a.Progress.Quiet().Add(timeout) }, func() { cancel(apierror.ErrAttemptTimeout) })
	}
}

// elsewhere reports whether there is another upstream that the request was not given up
// at, whose breaker is closed, and that has not refused its credential.
func (x *Run) elsewhere() bool {
	return slices.ContainsFunc(x.Candidates, func(up *lane.Lane) bool {
		if up == x.Up || slices.Contains(x.spent, up) || up.Gate.Breaker.State() != policy.Closed {
			return false
		}
		f := x.faceOf(up)
		return !x.tripped(&f, time.Now())
	})
}

// took is how long a took of the time that the deadline leaves, which a body on its way
// puts off, unless the caller bounds the whole.
func (x *Run) took(a *attempt.Attempt) time.Duration {
	took := time.Since(a.Started)
	if s := a.Progress.Sending; s != nil && s.Motion != nil && x.Patience.Total == 0 {
		took -= time.Duration(s.Moved.Load() - s.First.Load())
	}
	return took
}
