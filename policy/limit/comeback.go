package limit

import (
	"math"
	"time"
)

const (
	// comebackLeast and comebackSteps are how far two answers must be apart, in the time until all
	// is there again, to tell how it comes back: far over the jitter of a network, and
	// over the steps in which a reset is written.
	comebackLeast = 500 * time.Millisecond
	comebackSteps = 8
	// comebackShare is how exactly they must fit.
	comebackShare = 0.25
)

// comeback tells a limit that is given out whole when a minute of the clock turns from one
// that comes back all the time: the first one's reset names the same instant whatever is
// used, the other's moves on with each request. One answer cannot tell: in the middle of
// a minute of which half is used the two say the same. Times are offsets from the
// limiter's start. The zero value takes a limit for one that comes back all the time.
type comeback struct {
	fixed bool
	seen  bool
	at    time.Duration // when the request that told it was sent
	end   time.Duration // when all would be there again
	limit float64
	used  float64
}

// learn takes in what the answer to a request sent at says of a limit for window.
func (u *comeback) learn(at time.Duration, r Reading, window time.Duration) {
	if r.Remaining < 0 || r.Reset <= 0 || u.seen && at <= u.at {
		return
	}
	now := comeback{fixed: u.fixed, seen: true, at: at, end: at + r.Reset, limit: r.Limit, used: r.Limit - r.Remaining}
	if !u.seen || !alike(u.limit, r.Limit) {
		*u = now
		return
	}
	moved := (now.end - u.end).Seconds()
	would := (now.at - u.at).Seconds() + (now.used-u.used)/r.Limit*window.Seconds()
	if math.Abs(would) < max(comebackLeast, comebackSteps*r.Resolution).Seconds() {
		return
	}
	switch near := comebackShare * math.Abs(would); {
	case math.Abs(moved) <= near:
		now.fixed = true
	case math.Abs(moved-would) <= near:
		now.fixed = false
	}
	*u = now
}

// begun returns what is left of a minute of the clock that has begun, by the first
// answer out of it, if all went of it that was sent since the last one out of the one
// before. An answer's own remainder is not enough: others may have overtaken it.
func (b *bucket) begun(w *Waiter, r Reading, u unit, taken amounts) float64 {
	last := &b.reading
	if !last.comeback.fixed || last.end == 0 || w.sent+r.Reset < last.end+comebackLeast {
		return 0
	}
	return (r.Limit - b.charge(u, taken.minus(last.mark))) * milli
}

// again returns how long until cost may go. When all has come back one request goes that
// the account does not hold: its answer tells the rest.
func (b *bucket) again(now time.Time, cost int64) time.Duration {
	d := b.until(now, b.need(cost))
	if d == 0 || b.whole.IsZero() {
		return d
	}
	if now.Before(b.whole) {
		return min(d, b.whole.Sub(now))
	}
	b.whole = time.Time{}
	b.set(now, b.need(cost))
	return 0
}
