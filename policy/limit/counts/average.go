package counts

import (
	"math"
	"time"
)

// Average is an exponentially weighted rate of events.
type Average struct {
	perSecond float64
	first, at time.Duration
	seen      bool
}

// Add counts one event at t.
func (a *Average) Add(t, over time.Duration) { a.AddSome(t, over, 1) }

// AddSome counts n events at t.
func (a *Average) AddSome(t, over time.Duration, n float64) {
	if !a.seen {
		a.seen, a.first, a.at = true, t, t
	}
	a.perSecond = a.perSecond*decay(t-a.at, over) + n/over.Seconds()
	a.at = t
}

// Value is the average rate at t, corrected for a history shorter than over.
func (a *Average) Value(t, over time.Duration) float64 {
	if !a.seen {
		return 0
	}
	return a.perSecond * decay(t-a.at, over) / (1 - decay(max(time.Second, t-a.first), over))
}

func decay(d, over time.Duration) float64 { return math.Exp(-d.Seconds() / over.Seconds()) }

// Absorb adds another average. t and theirs are now, by either's start.
func (a *Average) Absorb(other *Average, t, theirs, over time.Duration) {
	if !other.seen {
		return
	}
	if !a.seen {
		*a = Average{first: other.first + t - theirs, at: t, seen: true}
	}
	a.perSecond = a.perSecond*decay(t-a.at, over) + other.perSecond*decay(theirs-other.at, over)
	a.first, a.at = min(a.first, other.first+t-theirs), t
}

// Shift makes it the same by another start.
func (a *Average) Shift(d time.Duration) {
	a.first += d
	a.at += d
}
