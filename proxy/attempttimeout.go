package proxy

import (
	"context"
	"slices"
	"time"

	"outrigger/policy"
)

// bounded sets the attempt's own timeout, if it has one: so long after the last byte of
// its body moved, or after its start.
func (x *Run) bounded(a *attempt, cancel context.CancelCauseFunc) {
	timeout := x.up.attempt
	if timeout <= 0 {
		return
	}
	ahead := policy.Ahead{
		Retries: x.retries, Replayable: x.replayable(), Create: x.isCreate(),
		Elsewhere: x.mayGoOn(policy.FailoverOverloaded) && x.elsewhere(),
	}
	if !x.deadline.IsZero() {
		ahead.Left = time.Until(x.deadline)
	}
	if timeout = x.config.Retry.AttemptTimeout(timeout, ahead); timeout > 0 {
		a.alarm = newAlarm(func() time.Time { return a.progress.quiet().Add(timeout) }, func() { cancel(errAttemptTimeout) })
	}
}

// elsewhere reports whether there is another upstream that the request was not given up
// at, whose breaker is closed, and that has not refused its credential.
func (x *Run) elsewhere() bool {
	return slices.ContainsFunc(x.candidates, func(up *lane) bool {
		if up == x.up || slices.Contains(x.spent, up) || up.gate.breaker.State() != policy.Closed {
			return false
		}
		f := x.faceOf(up)
		return !x.tripped(&f, time.Now())
	})
}

// quiet returns when the last byte of the request moved, or when the attempt began.
func (p *progress) quiet() time.Time {
	moved := time.Duration(p.sentAt.Load())
	if p.sending != nil {
		moved = max(moved, time.Duration(p.sending.moved.Load()))
	}
	return p.began.Add(moved)
}

// took is how long a took of the time that the deadline leaves, which a body on its way
// puts off, unless the caller bounds the whole.
func (x *Run) took(a *attempt) time.Duration {
	took := time.Since(a.started)
	if s := a.progress.sending; s != nil && s.motion != nil && x.patience.Total == 0 {
		took -= time.Duration(s.moved.Load() - s.first.Load())
	}
	return took
}
