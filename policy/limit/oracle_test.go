package limit

import (
	"math"
	"time"
)

// oracle is when a sender that knows the upstream's limits and all that will come
// could have had its requests let through: each as early as the ones before it permit.
//
// No sender that keeps the order does better, at any request. An account goes from
// level to min(size, level + what came in), and a request takes its cost off. So
// taking a cost earlier never leaves less at a later time, and a higher level is never
// the worse one to have: min(size, level - cost + in) >= min(size, level + in) - cost.
// Whoever sends the first ones as early as can be has, at each later time, the fullest
// accounts that this order permits.
//
// Among requests of one cost the order changes nothing but who is who, so for them it
// is the least time that there is. Where sizes differ another order may be a little
// faster (small ones fill the rest of a share, a big one last leaves its debt unpaid):
// then it is what keeping the order costs, and a line that lets small ones pass may
// even beat it.
type oracle struct {
	accounts []*allowance
	now      time.Time
}

// allowance is one account of the upstream: a bucket that fills continuously, or by a
// step's worth at each multiple of step.
type allowance struct {
	unit  unit
	rate  float64 // units per second
	size  float64 // most at once
	step  time.Duration
	anew  bool // a step begins with size, whatever is left or owed
	level float64
	at    time.Time
}

// enough is the rounding of sums that is let go.
const enough = 1e-6

func newOracle(now time.Time, limits ...allowance) *oracle {
	o := &oracle{now: now}
	for _, a := range limits {
		a.level, a.at = a.size, now
		if a.step > 0 {
			a.at = now.Truncate(a.step)
		}
		o.accounts = append(o.accounts, &a)
	}
	return o
}

// next returns when w, which comes after all that came before, is let through if it
// arrives at arrival.
func (o *oracle) next(arrival time.Time, w *Waiter) time.Time {
	if arrival.After(o.now) {
		o.now = arrival
	}
	for again := true; again; {
		again = false
		for _, a := range o.accounts {
			if t := a.ready(o.now, float64(w.cost(a.unit))); t.After(o.now) {
				o.now, again = t, true
			}
		}
	}
	for _, a := range o.accounts {
		a.level -= float64(w.cost(a.unit))
	}
	return o.now
}

// ready returns when cost may go, from now on.
func (a *allowance) ready(now time.Time, cost float64) time.Time {
	if cost == 0 {
		return now
	}
	need := min(cost, a.size)
	for {
		a.advance(now)
		if a.level+enough >= need {
			return now
		}
		if a.step > 0 {
			now = a.at.Add(a.step)
			continue
		}
		now = now.Add(time.Duration(math.Ceil((need - a.level) / a.rate * float64(time.Second))))
	}
}

func (a *allowance) advance(now time.Time) {
	if !now.After(a.at) {
		return
	}
	if a.step == 0 {
		a.level = min(a.size, a.level+a.rate*now.Sub(a.at).Seconds())
		a.at = now
		return
	}
	steps := now.Sub(a.at) / a.step
	a.at = a.at.Add(steps * a.step)
	switch {
	case steps > 0 && a.anew:
		a.level = a.size
	default:
		a.level = min(a.size, a.level+float64(steps)*a.size)
	}
}
