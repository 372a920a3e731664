package limiter

import (
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestImagesPerMinuteAreKept asks for 60 images, two at a time, at one per second in a
// bucket of ten: 50 must come in.
func TestImagesPerMinuteAreKept(t *testing.T) {
	for _, style := range []sim.Style{sim.OpenAI, sim.NoHeaders} {
		t.Run(string(style), func(t *testing.T) {
			limits := []meter.Limit{{IPM: 60, Burst: 10 * time.Second}}
			bubble(t, sim.Config{Latency: thought, Style: style, Limits: limits}, near, 0, func(g *rig) {
				calls := burst(30)
				for i := range calls {
					calls[i] = call{path: "/v1/images/generations", model: "gpt-image-1", images: 2}
				}
				o := g.send("", calls)
				if o.ok != len(calls) {
					g.t.Errorf("%d of %d succeeded", o.ok, len(calls))
				}
				hold(g.t, "the seconds that they took, as a share of 50", o.makespan.Seconds()/50, 1.05)
				hold(g.t, "refused", float64(len(o.refused)), 3)
				for _, b := range g.state().Buckets {
					if b.Dimension == "images" && b.Limit == 60 && b.Window == time.Minute {
						return
					}
				}
				g.t.Errorf("%+v, want 60 images per minute", g.state().Buckets)
			})
		})
	}
}
