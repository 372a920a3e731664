package limiter

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// between counts the times from a on and before b.
func between(times []time.Duration, a, b time.Duration) int {
	n := 0
	for _, t := range times {
		if t >= a && t < b {
			n++
		}
	}
	return n
}

// TestALimitMayChangeWhileRunning halves 1200 per minute after a minute and doubles it
// again after another, under constant pressure.
func TestALimitMayChangeWhileRunning(t *testing.T) {
	limits := map[string]meter.Limit{
		"refill":                 {RPM: 1200, Burst: time.Second},
		"refill, refusals count": {RPM: 1200, Burst: time.Second, CountRefusals: true},
		"quanta":                 {RPM: 1200, Enforce: meter.Quanta},
	}
	for name, limit := range limits {
		for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
			t.Run(fmt.Sprint(name, ", ", style), func(t *testing.T) {
				bubble(t, sim.Config{Latency: thought, Style: style, Limits: []meter.Limit{limit}}, near, 0, func(g *rig) {
					set := func(at time.Duration, rpm int) {
						time.AfterFunc(at, func() {
							changed := limit
							changed.RPM = rpm
							if err := g.sim.SetLimits(changed); err != nil {
								g.t.Error(err)
							}
						})
					}
					set(time.Minute, 600)
					set(2*time.Minute, 1200)
					o := g.send("", burst(4400))
					if o.ok != 4400 {
						g.t.Errorf("%d of 4400 succeeded", o.ok)
					}
					for from, rate := range map[time.Duration]float64{time.Minute: 10, 2 * time.Minute: 20} {
						settled, end := from+10*time.Second, from+time.Minute
						got := float64(between(o.let, settled, end)) / (end - settled).Seconds()
						g.t.Logf("%.2f per second from 10s after %v on", got, from)
						if got < 0.95*rate || got > 1.06*rate {
							g.t.Errorf("%.2f per second from 10s after %v on, want %.0f within 5 %%", got, from, rate)
						}
						hold(g.t, fmt.Sprint("refused after ", from), float64(between(o.refused, from, end)), 20)
					}
				})
			})
		}
	}
}

// TestLongStreamsDoNotHoldUpNewCalls opens 490 streams of two minutes at 500 per
// minute, and a minute later a call each second.
func TestLongStreamsDoNotHoldUpNewCalls(t *testing.T) {
	bubble(t, sim.Config{TokenDelay: 10 * time.Second, Limits: []meter.Limit{{RPM: 500}}}, near, 0, func(g *rig) {
		calls := make([]call, 490)
		for i := range calls {
			calls[i] = call{stream: true, tokens: 12}
		}
		late := steady("", 1, time.Minute, 2*time.Minute)
		for i := range late {
			late[i].tokens = 1
		}
		o := g.send("", slices.Concat(calls, late))
		if o.ok != 550 || len(o.refused) > 0 {
			g.t.Fatalf("%d of 550 succeeded, %d refused", o.ok, len(o.refused))
		}
		for i, a := range o.answers[490:] {
			if waited := a.took - 10*time.Second; waited > 100*time.Millisecond {
				g.t.Errorf("the call at %v waited %v", late[i].at, waited)
			}
		}
	})
}
