package limiter

import (
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// slowDown is OpenAI's answer to a rate that rose too fast.
const slowDown = `{"error":{"message":"Slow down. Please reduce your request rate to its original level, keep it for at least 15 minutes, ` +
	`then increase it gradually.","type":"requests","param":null,"code":"slow_down"}}`

// TestSlowDownCutsOnceAndGrowsAsDocumented sends one call per second for twenty
// minutes, then three. Ten seconds later the upstream says Slow Down to several calls,
// and to another one five minutes later. OpenAI: back to the original rate, keep it for
// 15 minutes, then at most 50 % more in 15 minutes.
func TestSlowDownCutsOnceAndGrowsAsDocumented(t *testing.T) {
	const before, cut = 20 * time.Minute, 20*time.Minute + 10*time.Second
	says := fault.Rule{Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Body: slowDown}
	first, second := says, says
	first.Start, first.First = cut, 5
	second.Start, second.First = cut+5*time.Minute, 1
	bubble(t, sim.Config{Latency: thought, Faults: []fault.Rule{first, second}}, near, 0, func(g *rig) {
		o := g.send("", slices.Concat(steady("", 1, 0, before), steady("", 3, before, cut+45*time.Minute)))
		if o.ok < len(o.let) {
			g.t.Errorf("%d succeeded of %d that were let through", o.ok, len(o.let))
		}
		if refused := between(o.refused, 0, math.MaxInt64); refused > 6 {
			g.t.Errorf("%d refused, want the 6 that the upstream chose", refused)
		}
		const bin = 3 * time.Minute
		for from := time.Minute; from+bin <= 45*time.Minute; from += bin {
			middle := from + bin/2
			want := math.Pow(1.5, max(0, middle.Minutes()-15)/15)
			got := float64(between(o.let, cut+from, cut+from+bin)) / bin.Seconds()
			if got < 0.9*want || got > 1.1*want {
				g.t.Errorf("%.2f per second from %v after the cut on, want %.2f", got, from, want)
			}
		}
	})
}
