package proxy

import (
	"net/http"
	"sync/atomic"
	"time"

	"outrigger/policy"
)

// motion is when bytes of a request's body moved. The call that is made apart from its
// caller shares it. Safe for concurrent use.
type motion struct {
	start  time.Time
	last   atomic.Int64 // when the caller's last byte came, after start
	moving atomic.Int64 // for how long bytes went on to upstreams
}

// came notes that bytes of the caller came.
func (m *motion) came(now time.Time) { m.last.Store(int64(now.Sub(m.start))) }

// went notes that bytes were on their way to an upstream for d.
func (m *motion) went(d time.Duration) { m.moving.Add(int64(d)) }

// dueAt returns when an answer must be there, zero for never, and whether the caller
// announced that.
type dueAt func() (time.Time, bool)

// dueOf returns when a caller with patience p, whose body moves as m says, must have its answer.
func dueOf(m *motion, p policy.Patience) dueAt {
	return func() (time.Time, bool) {
		return p.Deadline(m.start, m.start.Add(time.Duration(m.last.Load())), time.Duration(m.moving.Load()))
	}
}

// setDeadline bounds the request until its answer is committed.
func (x *exchange) setDeadline(r *http.Request) {
	x.motion = &motion{start: x.start}
	x.patience = policy.PatienceOf(x.total, r.Header, false)
	x.bound(dueOf(x.motion, x.patience))
}

// bound makes at tell the request's deadline.
func (x *Life) bound(at dueAt) {
	x.deadlineAt = at
	x.refreshDeadline()
	if !x.deadline.IsZero() {
		x.alarm = newAlarm(func() time.Time { t, _ := at(); return t }, func() { x.cancel(errDeadline) })
	}
}

// refreshDeadline takes in that bytes of the request's body have moved.
func (x *Life) refreshDeadline() { x.deadline, x.announced = x.deadlineAt() }

// stopTimer ends the deadline's hold on the request: its answer is committed.
func (x *Life) stopTimer() { x.alarm.stop() }

// setFlightDeadline bounds the call that x makes for a caller until its answer is committed, and
// leaves the caller its own deadline only if that comes before.
func (x *exchange) setFlightDeadline(caller *exchange, h http.Header) {
	own, operators := caller.deadlineAt, dueOf(caller.motion, policy.PatienceOf(x.total, nil, false))
	total := func() (time.Time, bool) { // of the call
		at, _ := operators()
		if x.total.Default { // it gives way to a caller that waits for longer
			callers, _ := own()
			at = latest(at, callers)
		}
		return at, false
	}
	x.alarm = nil
	switch {
	case caller.identity.key != "":
		x.bound(total)
	case !x.isCreate() && !caller.deadline.IsZero():
		x.bound(func() (time.Time, bool) {
			callers, _ := own()
			at, _ := total()
			return earlier(callers.Add(x.config.Rejoin), at), false
		})
	default:
		x.bound(own)
		caller.stopTimer()
		return
	}
	caller.hurry(h)
	if !caller.deadline.Before(x.deadline) {
		caller.stopTimer()
	}
}

// hurry tells a caller early to come back whose client does not come back from its own
// timeout. The call goes on meanwhile, so that costs it nothing.
func (x *exchange) hurry(h http.Header) {
	if x.identity.hasty {
		x.stopTimer()
		x.bound(dueOf(x.motion, policy.PatienceOf(x.total, h, true)))
	}
}

// earlier returns the earlier of two times; zero is never.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// latest returns the later of two times; zero is never.
func latest(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}

// streamIdle is how long the answer to the caller may be silent; 0 is no bound.
func (x *Run) streamIdle() time.Duration { return x.patience.StreamIdle(x.silent) }
