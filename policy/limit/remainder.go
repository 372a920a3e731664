package limit

import (
	"cmp"
	"time"
)

// remainder is what a header says is left until its reset, where it is not known
// how the limit refills. A header may be wrong, so while nothing is left a single
// request passes now and then: its answer tells. The zero value holds nobody back.
type remainder struct {
	left  int64
	until time.Time // zero or past: holds nobody back
	probe time.Time // when the next one may try
	every time.Duration
	first time.Duration // when the first one may, 0 is firstProbe
	moot  time.Time     // until then remainders are not believed
}

// The first try comes after a second, each further one after three times as long. Where
// answers have shown that all comes back when a minute turns, there is less to try.
const (
	firstProbe  = time.Second
	fixedProbe  = 20 * time.Second
	probeGrowth = 3
	mootTime    = 10 * time.Minute
)

// set takes in what a header says is left.
func (r *remainder) set(now time.Time, left int64, until time.Time) {
	if now.Before(r.moot) {
		return
	}
	if left >= milli {
		r.every = 0
	}
	r.left, r.until = left, until
}

// empty reports whether cost is more than what is left.
func (r *remainder) empty(now time.Time, cost int64) bool {
	return cost > r.left && now.Before(r.until)
}

// wait returns how long cost is held back, 0 if it is not.
func (r *remainder) wait(now time.Time, cost int64) time.Duration {
	if !r.empty(now, cost) {
		return 0
	}
	if r.every == 0 {
		r.every = cmp.Or(r.first, firstProbe)
		r.probe = now.Add(r.every)
	}
	return max(0, min(r.until.Sub(now), r.probe.Sub(now)))
}

// take counts what goes.
func (r *remainder) take(now time.Time, cost int64) {
	if r.empty(now, cost) {
		r.every *= probeGrowth
		r.probe = now.Add(r.every)
	}
	r.left -= cost
}

// refute stops believing remainders: something went through that one forbade.
func (r *remainder) refute(now time.Time) {
	*r = remainder{moot: now.Add(mootTime)}
}
