package admission

import (
	"time"

	"outrigger/policy/limit"
)

// Dismiss lets all go that wait in the line.
func (ln *Queue) Dismiss(now time.Time) {
	ts := ln.lock()
	defer ts.mu.Unlock()
	ts.limiter.Dismiss(now, func(w *limit.Waiter) bool { return w.Tag.(*Ticket).Line == ln }, func(w *limit.Waiter, d limit.Decision) {
		pl := w.Tag.(*Ticket)
		pl.TurnedAway = d
		close(pl.ready)
	})
	ts.Release(now)
}
