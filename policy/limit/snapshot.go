package limit

import "time"

// Source is how a limit came to be known.
type Source uint8

// The sources, from the surest.
const (
	SourceConfigured Source = iota + 1
	SourceHeader
	SourceText
	SourceRefusals
)

// String returns the source as pages and logs show it.
func (s Source) String() string {
	switch s {
	case SourceConfigured:
		return "configured"
	case SourceHeader:
		return "header"
	case SourceText:
		return "refusal text"
	case SourceRefusals:
		return "refusals"
	default:
		return "none"
	}
}

// MarshalText writes the source as String does.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// proven reports whether the limit is sure enough to say that a request never fits.
func (b *bucket) proven() bool { return b.source == SourceConfigured }

// Idle reports whether nothing would be lost if the limiter were dropped.
func (l *Limiter) Idle(now time.Time) bool {
	return l.line.length == 0 && now.Sub(l.last) > 15*time.Minute
}

// Bucket is the state of one limit.
type Bucket struct {
	Dimension string        `json:"dimension"`
	Limit     float64       `json:"limit"`
	Window    time.Duration `json:"window"`
	Source    Source        `json:"source"`
	Remaining float64       `json:"remaining"`
}

// Snapshot is a limiter's state for metrics and pages.
type Snapshot struct {
	Queue     int       `json:"queue"`
	GateUntil time.Time `json:"gate_until"`
	Buckets   []Bucket  `json:"buckets"`
}

// Snapshot returns the present state.
func (l *Limiter) Snapshot(now time.Time) Snapshot {
	s := Snapshot{Queue: l.line.length, GateUntil: l.gate}
	for _, slot := range l.active {
		b := &l.buckets[slot]
		s.Buckets = append(s.Buckets, Bucket{slot.String(), b.limit, b.window, b.source, b.level(now) / milli})
	}
	return s
}

// Counters count what was seen.
type Counters struct {
	Ignored int `json:"ignored"`
}
