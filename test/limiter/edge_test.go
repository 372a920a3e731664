package limiter

import (
	"fmt"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestABurstBehindANearEdge has an upstream whose connections end near by, as at a
// content delivery network, while what answers and refuses is 200 or 400 ms away: the
// time that a dial takes tells nothing of it. Of 400 ms only OpenAI's own word tells
// how much was work.
func TestABurstBehindANearEdge(t *testing.T) {
	const calls, rpm = 400, 1200
	limits := map[string]meter.Limit{
		"refill": {RPM: rpm, Burst: time.Second},
		"shares": {RPM: rpm, Enforce: meter.Quanta},
	}
	for name, limit := range limits {
		for _, counts := range []bool{false, true} {
			for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
				for _, away := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond} {
					t.Run(fmt.Sprint(name, ", counting ", counts, ", ", style, ", ", away), func(t *testing.T) {
						limit.CountRefusals = counts
						bubble(t, sim.Config{Latency: thought, Network: away / 2, Style: style, Limits: []meter.Limit{limit}}, near, 0, func(g *rig) {
							o := g.send("", burst(calls))
							if o.ok != calls {
								g.t.Errorf("%d of %d succeeded", o.ok, calls)
							}
							best := 19*time.Second + thought + away
							hold(g.t, "the time as a share of the optimum", float64(o.makespan)/float64(best), 1.20)
							hold(g.t, "refused", float64(len(o.refused)), calls/10)
						})
					})
				}
			}
		}
	}
}
