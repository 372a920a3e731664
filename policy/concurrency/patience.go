package concurrency

import (
	"slices"
	"time"
)

const (
	// leftLeast is how many callers must have left within leftFor for their patience to be
	// known: one that leaves says little about the others.
	leftLeast = 4
	leftFor   = 30 * time.Second
)

// Patience learns how long callers wait who do not announce it, from those that left. The
// zero value knows nothing. Not safe for concurrent use.
//
// A queue in the order of arrival that is longer than its callers' patience serves each of
// them just as it leaves, and so nobody.
type Patience struct {
	ages [16]time.Duration
	at   [16]time.Time
	next int
}

// Left tells that a caller left who had waited for its answer for that long.
func (p *Patience) Left(now time.Time, age time.Duration) {
	p.ages[p.next], p.at[p.next] = age, now
	p.next = (p.next + 1) % len(p.ages)
}

// Value returns how long most callers wait: three quarters of those that left lately had
// waited for longer. It returns false where few have left.
func (p *Patience) Value(now time.Time) (time.Duration, bool) {
	lately := make([]time.Duration, 0, len(p.ages))
	for i, at := range p.at {
		if !at.IsZero() && now.Sub(at) < leftFor {
			lately = append(lately, p.ages[i])
		}
	}
	if len(lately) < leftLeast {
		return 0, false
	}
	slices.Sort(lately)
	return lately[len(lately)/4], true
}
