package proxy

import (
	"context"
	"errors"
	"time"

	"outrigger/policy"
)

// Life bounds one execution of a call: its context, its deadline, and the drain that may
// end it. A call that goes on without its caller has a Life of its own.
type Life struct {
	ctx    context.Context // ends with the caller's leaving, the deadline, or a drain's end
	cancel context.CancelCauseFunc

	// The deadline until the answer is committed, and whether the caller announced it, as
	// they were when they were last looked at: bytes of the body may put it off.
	deadline   time.Time
	announced  bool
	deadlineAt dueAt
	alarm      *alarm
	patience   policy.Patience
	motion     *motion
	awake      *awake // tells the caller that its body moves; nil if nobody is to be told
	late       bool   // no further attempt, because the deadline is near

	inflight  *Inflight
	awaits    time.Time // the soonest end of the present wait; zero outside of one; under inflight.mu
	interrupt func()    // ends the reading of the caller's body; nil while none is read; under inflight.mu
}

// left reports whether the caller is gone.
func (l *Life) left() bool {
	cause := context.Cause(l.ctx)
	return cause != nil && !errors.Is(cause, errDeadline) && !errors.Is(cause, errDraining)
}

// sleep waits for d, or for the end of the request.
func (l *Life) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := l.waitsUntil(time.Now().Add(d)); err != nil {
		return err
	}
	defer l.waitsNoMore()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}
