package limiter

import (
	"fmt"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestKeysThatShareALimit sends 800 requests at once, with keys of one organization that
// has 1200 per minute for all of them. Each key has a limiter of its own, which is told
// the whole limit and must find out by refusals that others use it too; so must several
// sidecars. Before, four of them refused each other for ever where refusals count. The bucket holds a second's worth: 20 pass at once, the others need
// 39 s.
func TestKeysThatShareALimit(t *testing.T) {
	const calls, rpm = 800, 1200
	const best = (calls - rpm/60) * time.Minute / rpm
	limits := map[string]meter.Limit{
		"refill":                 {RPM: rpm, Burst: time.Second, Shared: true},
		"refill, refusals count": {RPM: rpm, Burst: time.Second, CountRefusals: true, Shared: true},
		"quanta":                 {RPM: rpm, Enforce: meter.Quanta, Shared: true},
	}
	for name, limit := range limits {
		for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
			for _, keys := range []int{2, 4} {
				t.Run(fmt.Sprint(name, ", ", style, ", ", keys, " keys"), func(t *testing.T) {
					bubble(t, sim.Config{Latency: thought, Style: style, Limits: []meter.Limit{limit}}, near, 0, func(g *rig) {
						all := burst(calls)
						for i := range all {
							all[i].key = fmt.Sprint("sk-", i%keys)
						}
						o := g.send("", all)
						if o.ok != calls {
							g.t.Errorf("%d of %d succeeded", o.ok, calls)
						}
						hold(g.t, "the time as a share of the optimum", o.makespan.Seconds()/best.Seconds(), 1.45)
						hold(g.t, "the share that was refused", float64(len(o.refused))/calls, 0.05*float64(keys))
						soon := make([]int, keys)
						for i, a := range o.answers {
							if a.took < best/2 {
								soon[i%keys]++
							}
						}
						for key, n := range soon {
							if n < 25 {
								g.t.Errorf("key %d had %d answers in the first half, of %v", key, n, soon)
							}
						}
					})
				})
			}
		}
	}
}
