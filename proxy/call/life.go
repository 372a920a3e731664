package call

import (
	"context"
	"errors"
	"time"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
)

// Life bounds one execution of a call: its context, its deadline, and the drain that may
// end it. A call that goes on without its caller has a Life of its own.
type Life struct {
	Ctx    context.Context // ends with the caller's leaving, the deadline, or a drain's end
	Cancel context.CancelCauseFunc

	// The deadline until the answer is committed, and whether the caller announced it, as
	// they were when they were last looked at: bytes of the body may put it off.
	Deadline   time.Time
	Announced  bool
	DeadlineAt dueAt           // tells the deadline as it is now
	Alarm      Alarm           // cancels Ctx at the deadline
	Patience   policy.Patience // of the caller: what silence it bears
	Motion     *body.Motion    // of the request's body
	Awake      *body.Awake     // tells the caller that its body moves; nil if nobody is to be told
	Late       bool            // no further attempt, because the deadline is near

	inflight  *Inflight
	awaits    time.Time // the soonest end of the present wait; zero outside of one; under inflight.mu
	interrupt func()    // ends the reading of the caller's body; nil while none is read; under inflight.mu
}

// Left reports whether the caller is gone.
func (l *Life) Left() bool {
	cause := context.Cause(l.Ctx)
	return cause != nil && !errors.Is(cause, apierror.ErrDeadline) && !errors.Is(cause, apierror.ErrDraining)
}

// Sleep waits for d, or for the end of the request.
func (l *Life) Sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := l.WaitsUntil(time.Now().Add(d)); err != nil {
		return err
	}
	defer l.WaitsNoMore()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.Ctx.Done():
		return context.Cause(l.Ctx)
	}
}
