package meter

import (
	"math"
	"time"
)

// epsilon absorbs the rounding of float64 sums: a millionth of a request or token.
const epsilon = 1e-6

// bucket is one limit over one window. It is not safe for concurrent use.
type bucket struct {
	limit  float64 // units per window
	window time.Duration
	mode   Enforcement
	size   float64       // most units that can be had at once
	step   time.Duration // Quanta: length of a share
	level  float64       // units left now; negative is debt
	at     time.Time     // when level was true; Quanta, Window: start of the present share
}

// newBucket returns a full bucket. Day limits are never given out in Quanta: the
// shares would be minutes apart, which no provider does.
func newBucket(limit int, window time.Duration, l Limit, now time.Time) *bucket {
	b := &bucket{limit: float64(limit), window: window, mode: l.Enforce, size: float64(limit)}
	if b.mode == "" || (b.mode == Quanta && window > time.Minute) {
		b.mode = Refill
	}
	switch b.mode {
	case Refill:
		b.at = now
		if l.Burst > 0 && l.Burst < window {
			b.size = max(1, b.per(l.Burst))
		}
	case Quanta:
		b.step = l.Quantum
		if b.step == 0 {
			b.step = time.Second
		}
		// A share under one unit would round to nothing: make it longer instead.
		b.step = max(b.step, time.Duration(math.Ceil(float64(window)/b.limit)))
		b.size = math.Floor(b.per(b.step) + epsilon)
		b.at = now.Truncate(b.step)
	case Window:
		b.at = now.Truncate(window)
	}
	b.level = b.size
	return b
}

// per returns how many units d is worth.
func (b *bucket) per(d time.Duration) float64 {
	return b.limit * (float64(d) / float64(b.window))
}

// lasts returns the time in which n units come in, rounded up to a nanosecond.
func (b *bucket) lasts(n float64) time.Duration {
	return time.Duration(math.Ceil(n*float64(b.window)/b.limit - epsilon))
}

// advance brings the level to now. A time before the last one changes nothing.
func (b *bucket) advance(now time.Time) {
	if !now.After(b.at) {
		return
	}
	switch b.mode {
	case Refill:
		b.level = min(b.size, b.level+b.per(now.Sub(b.at)))
		b.at = now
	case Quanta:
		shares := int64(now.Sub(b.at) / b.step)
		b.level = min(b.size, b.level+float64(shares)*b.size)
		b.at = b.at.Add(time.Duration(shares) * b.step)
	case Window:
		if now.Sub(b.at) >= b.window {
			b.level = b.size
			b.at = now.Truncate(b.window)
		}
	}
}

// need is the level at which a request of that cost is admitted.
func (b *bucket) need(cost float64) float64 { return min(cost, b.size) }

// fits reports whether cost can be taken now. What costs nothing always fits.
func (b *bucket) fits(cost float64) bool {
	return cost == 0 || b.level+epsilon >= b.need(cost)
}

// deficit is how many whole units are missing for cost.
func (b *bucket) deficit(cost float64) float64 {
	return math.Ceil(b.need(cost) - b.level - epsilon)
}

// used is the number that a refusal prints. For Refill it is derived from the
// deficit, so that the printed numbers and the hint always agree.
func (b *bucket) used(cost float64) float64 {
	if b.mode == Refill && cost <= b.limit {
		return b.limit - cost + b.deficit(cost)
	}
	return b.limit - math.Floor(b.level+epsilon)
}

// wait is the time until cost fits, if nobody else takes anything.
func (b *bucket) wait(now time.Time, cost float64) time.Duration {
	switch b.mode {
	case Quanta:
		shares := math.Ceil((b.need(cost) - b.level - epsilon) / b.size)
		return b.at.Add(time.Duration(shares) * b.step).Sub(now)
	case Window:
		return b.at.Add(b.window).Sub(now)
	default:
		return b.lasts(b.deficit(cost))
	}
}

// take charges cost; debt is bounded by one window's worth.
func (b *bucket) take(cost float64) {
	b.level = max(b.level-cost, -b.limit)
}

// remaining is the whole number of units left.
func (b *bucket) remaining() int { return max(0, int(math.Floor(b.level+epsilon))) }

// reset is the time until the bucket is full again.
func (b *bucket) reset(now time.Time) time.Duration {
	if b.level >= b.size-epsilon {
		return 0
	}
	if b.mode == Window {
		return b.at.Add(b.window).Sub(now)
	}
	return b.lasts(b.size - b.level)
}
