package fleet

import (
	"fmt"
	"testing"
	"time"

	"outrigger/internal/sim"
)

// TestConcurrency_FourSidecarsShareEightPlaces has calls of a second at an upstream that
// runs eight at once.
func TestConcurrency_FourSidecarsShareEightPlaces(t *testing.T) {
	const places, each = 8, time.Second
	for _, tt := range []struct {
		name        string
		queues      []int
		refused     float64 // in %, at most
		environment []string
	}{
		{"configured", []int{24, 10, 5, 1}, 5, []string{fmt.Sprint("OUTRIGGER_MAX_INFLIGHT=", places), "OUTRIGGER_CONCURRENCY=off"}},
		{"learned", []int{48, 20, 10, 2}, 25, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, plan{
				upstream: sim.Config{Latency: each, Concurrency: []sim.Concurrency{{Places: places}}},
				sidecars: len(tt.queues), environment: tt.environment,
			})
			calls := queues(call{label: "burst"}, tt.queues...)
			start := time.Now()
			answers := g.send(calls)
			succeed(t, answers)
			hits := g.seen("burst")
			ideal := time.Duration((len(calls)+places-1)/places) * each
			t.Logf("served in each second: %s", hits.line(start, 15))
			g.most("the time as a share of the ideal", float64(last(answers, start, -1))/float64(ideal), 1.1)
			g.most("refused in %", hits.refusedShare(), tt.refused)
			for i, n := range tt.queues {
				t.Logf("the sidecar with %d calls took %.2f s", n, last(answers, start, i).Seconds())
			}
		})
	}
}
