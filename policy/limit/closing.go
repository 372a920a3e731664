package limit

import "time"

// Close says that nothing is let through after until: whose predicted wait outlasts that is
// turned away, now and later, as Closing. Call Expel and Release afterwards.
func (l *Limiter) Close(until time.Time) {
	l.closing, l.slowed, l.expel = until, true, time.Time{}
}

// closes reports whether a wait that starts now ends after the limiter has closed.
func (l *Limiter) closes(now time.Time, wait time.Duration) bool {
	return !l.closing.IsZero() && wait > 0 && now.Add(wait).After(l.closing)
}
