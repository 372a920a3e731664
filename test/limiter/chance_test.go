package limiter

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
)

// TestRefusalsAtRandomThatNameAWaitSlowNobodyDown has an upstream without a limit that
// refuses some calls at random and names a wait: it costs each of them that wait, and
// the others nothing.
func TestRefusalsAtRandomThatNameAWaitSlowNobodyDown(t *testing.T) {
	plenty := saying("X-Ratelimit-Limit-Requests", "6000", "X-Ratelimit-Remaining-Requests", "5900", "X-Ratelimit-Reset-Requests", "1s")
	tests := map[string]struct {
		hint map[string]string
		most float64 // seconds until the last of two minutes' calls
		says func(http.Handler) http.Handler
	}{
		"1 s":                 {map[string]string{"Retry-After": "1"}, 130, saying()},
		"5 s":                 {map[string]string{"Retry-After": "5"}, 150, saying()},
		"700 ms":              {map[string]string{"Retry-After-Ms": "700"}, 130, saying()},
		"1 s, plenty remains": {map[string]string{"Retry-After": "1"}, 130, plenty},
	}
	for name, tt := range tests {
		for _, chance := range []float64{0.03, 0.1} {
			for _, rate := range []int{10, 50} {
				t.Run(fmt.Sprint(name, ", ", chance, " of ", rate, " per second"), func(t *testing.T) {
					random := fault.Rule{
						Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Probability: chance, Headers: tt.hint,
						Body: `{"error":{"message":"Rate limited","type":"rate_limit_error","code":"rate_limit_exceeded"}}`,
					}
					bubbleBehind(t, sim.Config{Latency: thought, Seed: 5, Style: sim.NoHeaders, Faults: []fault.Rule{random}}, near, 0, tt.says, func(g *rig) {
						calls := steady("", rate, 0, 2*time.Minute)
						o := g.send("", calls)
						if o.ok != len(calls) {
							g.t.Errorf("%d of %d succeeded", o.ok, len(calls))
						}
						hold(g.t, "the seconds until the last of two minutes' calls", o.makespan.Seconds(), tt.most)
						hold(g.t, "the median in seconds", median(calls, o.answers, 0, 2*time.Minute).Seconds(), 0.2)
					})
				})
			}
		}
	}
}
