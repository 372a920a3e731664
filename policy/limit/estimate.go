package limit

import (
	"math"
	"time"
)

// estimate is the rate that one slot is believed to allow, in units per second, with
// what was observed about it. Times are offsets from the limiter's start.
type estimate struct {
	rate           float64
	unit           float64       // what a request costs on average
	from           time.Duration // growth counts from here
	acted          time.Duration // what was sent before belongs to the last episode
	sent           int64         // units sent when it was acted on
	misses         int           // refusals in a row with nothing let through between them
	doubling, sure bool
	marks          [16]mark
	n              int // marks written so far
}

// mark is a moment at which the upstream had nothing left.
type mark struct {
	at       time.Duration
	accepted int64 // units accepted by then
}

var (
	probeTime  = 5.3  // seconds
	probeCount = 50.0 // requests
)

// speed is the rate to use at t: a little under the estimate, and after a while
// without a refusal more and more above it.
func (e *estimate) speed(t time.Duration) float64 {
	if e.doubling {
		return e.rate
	}
	tau := max(probeTime, probeCount*e.unit/e.rate)
	if !e.sure {
		tau /= 2
	}
	x := (t - e.from).Seconds() / tau
	return e.rate * (pace + 0.02*math.Pow(min(x, 2.5), 8))
}

// mark records that the upstream refused at t, accepted units after the start.
func (e *estimate) mark(t time.Duration, accepted int64) {
	e.marks[e.n%len(e.marks)] = mark{t, accepted}
	e.n++
}

// measured is the rate that was accepted up to now from an earlier moment when
// nothing was left either, 0 if there is none that is far enough away.
func (e *estimate) measured(t time.Duration, accepted int64) float64 {
	least := max(0.8, 5*e.unit/e.rate)
	most := max(3, 30*e.unit/e.rate)
	best, older, olderAt := 0.0, 0.0, time.Duration(-1)
	for i := range min(e.n, len(e.marks)) {
		m := e.marks[i]
		span := (t - m.at).Seconds()
		if span < least {
			continue
		}
		r := float64(accepted-m.accepted) / span
		if span <= most {
			best = max(best, r)
		} else if m.at > olderAt {
			older, olderAt = r, m.at
		}
	}
	if best > 0 {
		return best
	}
	return older
}

// refused takes in a refusal of something sent at t, when accepted units had been
// let through, and returns how long to wait before the next try.
func (e *estimate) refused(now time.Duration, w *Waiter, s slot, accepted, sent int64, latency time.Duration, hint time.Duration) time.Duration {
	if w.mark[s]-w.cost(s) <= e.sent {
		e.misses++
	} else {
		e.misses = 0
	}
	before := e.rate
	m := e.measured(w.sent, accepted)
	at := e.speed(w.sent)
	switch {
	case e.misses > 0:
	case m > 0:
		lag := seconds(max(1, 8*e.unit/e.rate))
		if !e.doubling && w.sent-lag > e.from {
			if v := 0.99 * e.speed(w.sent-lag); v > e.rate {
				m = max(m, v)
			}
		}
		e.rate = min(max(m, 0.85*e.rate), at)
	case e.n == 0:
	case e.doubling:
		e.rate /= 2
	default:
		e.rate = min(e.rate, at) * 0.97
	}
	if e.n > 0 {
		e.doubling, e.sure = false, e.rate >= 0.93*before
	} else {
		latency *= 3
	}
	e.from = now
	e.acted, e.sent = now, sent
	first := 0.0
	if e.n == 0 {
		first = 0.2
	}
	gap := seconds(backoff(max(e.unit/e.rate, first), e.misses))
	if e.misses > 0 || e.n == 0 {
		gap = max(gap, latency*5/4)
	}
	e.mark((now+max(gap, hint)+w.sent)/2, accepted)
	return gap
}

// idle lets no growth count for the time from a to b, when nothing was held up.
func (e *estimate) idle(a, b time.Duration) {
	e.from += b - a
}

// grow doubles an estimate that rests on too little once enough was sent at it.
func (e *estimate) grow(t time.Duration) {
	if e.doubling && (t-e.from).Seconds() > max(0.25, 4*e.unit/e.rate) {
		e.rate *= 2
		e.from = t
	}
}

// backoff returns the seconds to wait after so many refusals in a row. It spends
// about a second in short steps, since many limits are given out by the second.
func backoff(gap float64, misses int) float64 {
	const short = 0.4
	steps := 0
	for range misses {
		switch {
		case gap*3 < short || gap >= short && steps >= 2:
			gap *= 3
		case gap < short:
			gap = short
			steps++
		default:
			steps++
		}
	}
	return min(gap, 30)
}
