package limit

import (
	"math"
	"time"
)

// mark is a moment at which the upstream had nothing left.
type mark struct {
	at       time.Duration
	accepted int64 // units accepted by then
	sent     int64 // and sent
}

// mark records that the upstream refused at t, sent units after the start, of which it
// accepted some.
func (e *estimate) mark(t time.Duration, accepted, sent int64) {
	e.marks[e.n%len(e.marks)] = mark{t, accepted, sent}
	e.n++
}

// measured is the rate that was accepted up to t from an earlier moment when
// nothing was left either, 0 if there is none that is far enough away. Of the near
// ones it takes the most: shares that are given out by the second make the rest too
// small. With none near, it takes the latest. The second result is the most that can
// be true, even if the time holds one share less than it seems and refusals count.
func (e *estimate) measured(t time.Duration, accepted, all int64) (float64, float64) {
	least := max(measureTime.Seconds(), measureCount*e.unit/e.rate)
	near := e.near()
	best, older, olderAt := 0.0, 0.0, time.Duration(-1)
	most := math.Inf(1)
	for _, m := range e.marks[:min(e.n, len(e.marks))] {
		span := (t - m.at).Seconds()
		if span < least {
			continue
		}
		n := e.counted(max(0, accepted-m.accepted))
		if span >= 1.5 {
			most = min(most, (n+2*e.unit)/(span-1))
		}
		r := n / span
		if span <= near {
			best = max(best, r)
			most = min(most, (e.counted(all-m.sent)+e.unit)/shareCount(span))
		} else if m.at > olderAt {
			older, olderAt = r, m.at
		}
	}
	if best > 0 {
		return best, most
	}
	return older, most
}

// shareCount is how many shares by the second, each at its begin, are at least given out in
// span seconds if any is; in less than a second that is no fewer than by an even refill.
func shareCount(span float64) float64 { return min(span, max(1, math.Floor(span-shareJitter))) }
