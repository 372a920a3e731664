package limit

import "time"

// Dismiss takes the waiters that are meant out of the line and calls gone for each, with
// why: what they wait for was found not to come. Neither function may call the limiter.
// Call Release afterwards.
func (l *Limiter) Dismiss(now time.Time, meant func(*Waiter) bool, gone func(*Waiter, Decision)) {
	l.tick(now)
	dismiss := func(w *Waiter) {
		if meant(w) {
			l.line.remove(w)
			gone(w, Decision{Reason: Dismissed})
		}
	}
	for _, w := range l.line.returned() {
		dismiss(w)
	}
	for w := l.line.first; w != nil; {
		next := w.next
		dismiss(w)
		w = next
	}
}
