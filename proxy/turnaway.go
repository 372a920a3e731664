package proxy

import (
	"errors"
	"time"

	"outrigger/policy/classify"
)

// errClosing ends a wait that a drain would cut off.
var errClosing = errors.New("the wait would outlast the drain")

// TurnAway refuses all calls that wait and would, as far as can be told, not get their turn
// before until, when a drain ends: another instance may have room for them now. Later waits
// are refused in the same way. A drain calls it after Drain.
func (p *Proxy) TurnAway(until time.Time) {
	now := time.Now()
	p.mu.Lock()
	p.drainEnd = until
	for x := range p.active {
		if x.awaits.After(until) {
			x.cancel(errors.Join(errDraining, errClosing))
		}
	}
	p.mu.Unlock()
	for _, u := range p.upstreams {
		u.lines.close(now, until)
		u.slots.close(now, until)
	}
}

// waitsUntil notes when the wait that begins now ends at the soonest, and refuses one that
// a drain would cut off.
func (x *exchange) waitsUntil(end time.Time) error {
	x.p.mu.Lock()
	defer x.p.mu.Unlock()
	if !x.p.drainEnd.IsZero() && end.After(x.p.drainEnd) {
		return x.outlastsDrain()
	}
	x.awaits = end
	return nil
}

// waitsNoMore says that the wait is over.
func (x *exchange) waitsNoMore() {
	x.p.mu.Lock()
	defer x.p.mu.Unlock()
	x.awaits = time.Time{}
}

// outlastsDrain is the refusal of a call whose turn would come after the drain's end.
func (x *exchange) outlastsDrain() error {
	return errors.Join(errDraining, fail("draining", "Outrigger is shutting down, and the turn of this call would come later than that. "+
		"Send it again.").After(time.Second))
}

// keepsLast reports whether a request that ends with err is answered with its last attempt's
// answer. That of a limit is none where it was to wait for the limit, and a drain ends that.
func (x *exchange) keepsLast(err error) bool {
	return x.last != nil && !x.left() && (!errors.Is(err, errDraining) || x.last.verdict.Limiter == classify.LimiterNone)
}

// close turns away those who wait in these lines and would outlast until.
func (ls *lines) close(now, until time.Time) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	closed := map[*turnstile]bool{}
	for _, ln := range ls.byKey {
		ts := ln.lock()
		if !closed[ts] {
			closed[ts] = true
			ts.limiter.Close(until)
			ts.release(now)
		}
		ts.mu.Unlock()
		ln.slots.close(now, until)
	}
}

// close turns away those who wait for a slot and would outlast until.
func (s *slots) close(now, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = until
	ahead := 0
	for e := s.queue.Front(); e != nil; {
		next := e.Next()
		if w := e.Value.(*slotWaiter); s.tooLate(now, ahead, until) {
			s.queue.Remove(e)
			w.late, w.closing = true, true
			close(w.turn)
		} else {
			ahead++
		}
		e = next
	}
}
