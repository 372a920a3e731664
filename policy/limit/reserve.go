package limit

import "time"

// gathered returns the reserve at now.
func (b *bucket) gathered(now time.Time) int64 {
	idle := now.Sub(b.fullAt).Seconds()
	if b.wide || idle <= 0 {
		return b.reserve
	}
	return int64(min(float64(max(b.reserve, b.ahead-milli)), float64(b.reserve)+idle*b.speed*milli))
}

// reserved reports whether the reserve pays for cost: it may, as long as no second
// holds more than ahead.
func (b *bucket) reserved(now time.Time, t time.Duration, cost int64) bool {
	return cost <= b.gathered(now) && b.second.Sum(t)+cost <= b.ahead
}
