package admission

import (
	"time"

	"outrigger/policy/limit"
)

// Prove gives a queue a limiter of its own, since its model exists. It keeps the one that it
// shared until now, and those of other models part from that; but if they were refused there,
// it is the one that parts: what they taught is not about its model.
func (ls *Queues) Prove(ln *Queue, now time.Time) {
	if ln.proven.Load() {
		return
	}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ln.proven.Load() || ls.byKey[ln.key] != ln {
		return
	}
	a, ts := ln.account, ln.account.common
	a.users -= ln.users
	delete(a.unproven, ln)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ls.SharedQuotas.add(ln)
	for _, e := range ln.early {
		e.place.sentAs = ls.SharedQuotas.Sent(ln, e.at)
	}
	ln.early = nil
	keeps := ts.limiter.Refusals() == ln.taught
	switch {
	case !keeps:
		own := ts.part(now, func(pl *Ticket) bool { return pl.Queue == ln })
		own.lines, own.held = []*Queue{ln}, nil
		ln.scheduler.Store(own)
	case a.users > 0:
		a.common = ts.part(now, func(pl *Ticket) bool { return pl.Queue != ln })
		for other := range a.unproven {
			other.scheduler.Store(a.common)
		}
	default:
		a.common = nil
	}
	if keeps {
		ts.lines, ts.held = []*Queue{ln}, nil
	}
	ln.proven.Store(true)
	if own := ln.scheduler.Load(); own == ts {
		ls.share(ts, ln, now)
	} else {
		own.mu.Lock()
		ls.share(own, ln, now)
		own.mu.Unlock()
	}
	if !keeps && a.users == 0 {
		ls.restLocked(a, now)
	}
}

// part moves those who wait and are to go, and those who were admitted and not sent yet, to a
// scheduler of their own. Locked; the caller moves the queues.
func (ts *scheduler) part(now time.Time, goes func(*Ticket) bool) *scheduler {
	n := &scheduler{held: map[*Ticket]struct{}{}, fleet: ts.fleet, leasesFrom: ts.leasesFrom}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.limiter = ts.limiter.Part(now, func(w *limit.Waiter) bool { return goes(w.Tag.(*Ticket)) })
	if n.fleet != nil {
		n.limiter.Share()
	}
	for pl := range ts.held {
		if goes(pl) {
			delete(ts.held, pl)
			ts.limiter.Hand(now, &pl.Waiter, n.limiter)
			n.held[pl] = struct{}{}
		}
	}
	n.release(now)
	ts.release(now)
	return n
}
