package limiter

import (
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestAnUnlimitedUpstreamIsHardlyHeldUp compares with a plain reverse proxy in front
// of the same upstream, which tells of no limit because it has none.
func TestAnUnlimitedUpstreamIsHardlyHeldUp(t *testing.T) {
	const calls, latency = 1000, 500 * time.Millisecond
	bubble(t, sim.Config{Latency: latency}, near, 0, func(g *rig) {
		straight, stop := g.bare()
		bare := straight.send("bare ", burst(calls))
		stop()
		cold, warm := g.send("cold ", burst(calls)), g.send("warm ", burst(calls))
		if bare.ok != calls || cold.ok != calls || warm.ok != calls {
			g.t.Errorf("%d, %d and %d of %d succeeded", bare.ok, cold.ok, warm.ok, calls)
		}
		hold(g.t, "the seconds that a cold burst takes longer", (cold.makespan - bare.makespan).Seconds(), 1)
		hold(g.t, "the seconds that a warm one takes longer", (warm.makespan - bare.makespan).Seconds(), 0.01)
	})
}

// TestAMinutesBudgetInOneBucketIsUsedAtOnce has an upstream whose 1200 per minute may
// all come at once, as its headers say.
func TestAMinutesBudgetInOneBucketIsUsedAtOnce(t *testing.T) {
	const calls = 400
	bubble(t, sim.Config{Latency: thought, Limits: []meter.Limit{{RPM: 1200}}}, near, 0, func(g *rig) {
		o := g.send("", burst(calls))
		if o.ok != calls || len(o.refused) > 0 {
			g.t.Fatalf("%d of %d succeeded, %d refused", o.ok, calls, len(o.refused))
		}
		hold(g.t, "the seconds until the last was sent", o.let[calls-1].Seconds(), 1.5)
	})
}
