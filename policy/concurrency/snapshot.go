package concurrency

import "time"

// Snapshot is what a Limiter knows, for metrics and pages.
type Snapshot struct {
	// Limit is how many may run at once, 0 if no limit is known.
	Limit int `json:"limit"`
	// Running is how many do.
	Running int `json:"running"`
	// Source says how Limit is known, "" if it is not.
	Source string `json:"source,omitempty"`
	// Refusals counts all refusals so far.
	Refusals int `json:"refusals"`
}

// Snapshot returns the present state.
func (l *Limiter) Snapshot(now time.Time) Snapshot {
	l.settle(now)
	s := Snapshot{Limit: l.limit, Running: l.running, Refusals: l.refusals}
	if l.limit > 0 {
		s.Source = l.source.String()
	}
	return s
}
