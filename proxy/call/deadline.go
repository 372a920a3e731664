package call

import (
	"time"

	"outrigger/policy"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
)

// dueAt returns when an answer must be there, zero for never, and whether the caller
// announced that.
type dueAt func() (time.Time, bool)

// DueOf returns when a caller with patience p, whose body moves as m says, must have its answer.
func DueOf(m *body.Motion, p policy.Patience) dueAt {
	return func() (time.Time, bool) {
		return p.Deadline(m.Start, m.Start.Add(time.Duration(m.Last.Load())), time.Duration(m.Moving.Load()))
	}
}

// Bound makes at tell the request's deadline.
func (x *Life) Bound(at dueAt) {
	x.DeadlineAt = at
	x.RefreshDeadline()
	if !x.Deadline.IsZero() {
		x.Alarm.Set(x)
	}
}

// Due is the deadline as it is now, for Alarm.
func (x *Life) Due() time.Time { t, _ := x.DeadlineAt(); return t }

// Ring ends what has not been answered by then.
func (x *Life) Ring() { x.Cancel(apierror.ErrDeadline) }

// RefreshDeadline takes in that bytes of the request's body have moved.
func (x *Life) RefreshDeadline() { x.Deadline, x.Announced = x.DeadlineAt() }

// StopTimer ends the deadline's hold on the request: its answer is committed.
func (x *Life) StopTimer() { x.Alarm.Stop() }

// Earlier returns the earlier of two times; zero is never.
func Earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// Latest returns the later of two times; zero is never.
func Latest(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}
