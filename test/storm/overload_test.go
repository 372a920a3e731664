package storm

import (
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim"
)

// TestOverloadThatFeedsOnItselfIsNotFed asks 150 per second of an upstream that gives
// about 96 and loses a tenth of a call to each that it refuses, for a minute; then 20
// per second. Some callers have all the time, others leave after 5.5 s and say so.
func TestOverloadThatFeedsOnItselfIsNotFed(t *testing.T) {
	together(t)
	const storm, calm, places = time.Minute, 30 * time.Second, 20
	const answers = 205 * time.Millisecond
	const capacity = places * float64(time.Second) / float64(answers)
	for name, like := range map[string]call{"patient callers": {}, "hasty callers": {timeout: 5500 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			together(t)
			s := weather{
				name: "overload feeds on itself, " + name, upstream: sim.Config{Latency: answers, Capacity: places, RefusalCost: 0.1},
				calls: slices.Concat(steady(150, 0, storm, like), steady(20, storm, storm+calm, like)),
			}
			for _, w := range []way{alone, through} {
				o := s.ride(t, w)
				goodput := o.goodput(0, storm)
				after := o.between(storm+5*time.Second, storm+calm)
				t.Logf("%s: %.1f good answers per second of %.1f", w.name, goodput, capacity)
				t.Log(after.line("from 5 s after the overload on", w.name))
				if w.straight {
					continue
				}
				o.tell(t)
				least(t, "good answers per second", goodput, 0.9*capacity)
				least(t, "success from 5 s after on in %", after.success(), 100)
				most(t, "refused from 5 s after on, of those that came, in %", 100*float64(after.refused())/float64(max(1, len(after.hits))), 5)
				if like.timeout > 0 { // else there is a backlog of a minute's overload
					most(t, "p50 from 5 s after on in seconds", after.quantile(0.5).Seconds(), 2*answers.Seconds())
					continue
				}
				least(t, "success in %", o.success(), 100)
			}
		})
	}
}

// goodput is how many answers reached their callers in [from, to), per second.
func (o outcome) goodput(from, to time.Duration) float64 {
	n := 0
	for _, a := range o.answers {
		if end := a.at + a.took; a.ok && end >= from && end < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}
