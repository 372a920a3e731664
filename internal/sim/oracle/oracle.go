// Package oracle tells how soon requests could have been let through by somebody who
// knows the upstream's limits and all that will come. Simulations are held to it.
package oracle

import (
	"cmp"
	"math"
	"time"

	"outrigger/internal/sim/meter"
)

// Oracle is when a sender that knows all could have its requests let through: each as
// early as the ones before it permit.
//
// No sender that keeps the order does better, at any request. An account goes from
// level to min(size, level + what came in), and a request takes its cost off. So taking
// a cost earlier never leaves less at a later time, and a higher level is never the
// worse one to have: min(size, level-cost+in) >= min(size, level+in) - cost. Whoever
// sends the first ones as early as can be has, at each later time, the fullest accounts
// that this order permits.
//
// Among requests of one cost the order changes nothing but who is who, so for them it
// is the least time that there is. Where sizes differ another order may be a little
// faster (small ones fill the rest of a share, a big one that goes last leaves its debt
// unpaid): then it is what keeping the order costs, and a line in which small ones pass
// may even beat it.
//
// It knows nothing of the network and is never refused. Not safe for concurrent use.
type Oracle struct {
	accounts []*account
	now      time.Time
}

// account is one limit's.
type account struct {
	unit  string
	rate  float64 // units per second
	size  float64 // most at once
	step  time.Duration
	anew  bool // a step begins with size, whatever is left or owed
	level float64
	at    time.Time
}

// enough is the rounding of sums that is let go.
const enough = 1e-6

// New returns the oracle of one key and model's limit, of which nothing was used by now.
func New(l meter.Limit, now time.Time) *Oracle {
	o := &Oracle{now: now}
	for d, limit := range map[meter.Dimension]int{
		meter.RequestsPerMinute: l.RPM, meter.RequestsPerDay: l.RPD, meter.TokensPerMinute: l.TPM,
		meter.TokensPerDay: l.TPD, meter.ImagesPerMinute: l.IPM,
	} {
		if limit > 0 {
			o.accounts = append(o.accounts, newAccount(l, d, float64(limit), now))
		}
	}
	return o
}

func newAccount(l meter.Limit, d meter.Dimension, limit float64, now time.Time) *account {
	a := &account{unit: d.Unit(), rate: limit / d.Window().Seconds(), size: limit, at: now}
	switch {
	case l.Enforce == meter.Window:
		a.step, a.anew = d.Window(), true
	case l.Enforce == meter.Quanta && d.Window() == time.Minute:
		a.step = max(cmp.Or(l.Quantum, time.Second), time.Duration(math.Ceil(float64(time.Minute)/limit)))
		a.size = math.Floor(a.rate*a.step.Seconds() + enough)
	case l.Enforce != meter.Quanta && l.Burst > 0 && l.Burst < d.Window():
		a.size = max(1, a.rate*l.Burst.Seconds())
	}
	a.level = a.size
	if a.step > 0 {
		a.at = now.Truncate(a.step)
	}
	return a
}

// Next returns when a request that comes after all those before is let through, if it
// arrives at arrival.
func (o *Oracle) Next(arrival time.Time, cost meter.Cost) time.Time {
	if arrival.After(o.now) {
		o.now = arrival
	}
	for again := true; again; {
		again = false
		for _, a := range o.accounts {
			if t := a.ready(o.now, a.units(cost)); t.After(o.now) {
				o.now, again = t, true
			}
		}
	}
	for _, a := range o.accounts {
		a.level -= a.units(cost)
	}
	return o.now
}

func (a *account) units(c meter.Cost) float64 {
	switch a.unit {
	case "tokens":
		return float64(c.Tokens)
	case "images":
		return float64(c.Images)
	}
	return 1
}

// ready returns when cost may go, from now on.
func (a *account) ready(now time.Time, cost float64) time.Time {
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

func (a *account) advance(now time.Time) {
	if !now.After(a.at) {
		return
	}
	if a.step == 0 {
		a.level = min(a.size, a.level+a.rate*now.Sub(a.at).Seconds())
		a.at = now
		return
	}
	steps := int64(now.Sub(a.at) / a.step)
	a.at = a.at.Add(time.Duration(steps) * a.step)
	if steps > 0 && a.anew {
		a.level = a.size
		return
	}
	a.level = min(a.size, a.level+float64(steps)*a.size)
}
