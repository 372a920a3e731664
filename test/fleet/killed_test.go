package fleet

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestSidecar_KilledGivesItsShareBack kills the sidecar with most to do amid its burst:
// the others have the whole limit within 2 s.
func TestSidecar_KilledGivesItsShareBack(t *testing.T) {
	const places, each = 8, 500 * time.Millisecond
	limited := sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}
	crowded := sim.Config{Latency: each, Concurrency: []sim.Concurrency{{Places: places}}}
	for _, tt := range []struct {
		name        string
		upstream    sim.Config
		rate        float64 // of the whole limit
		refused     float64 // in %, at most
		environment []string
	}{
		{"rate, configured", limited, rate, 3, configured},
		{"rate, learned", limited, rate, 5, nil},
		{"concurrency, configured", crowded, places / each.Seconds(), 5, []string{fmt.Sprint("OUTRIGGER_MAX_INFLIGHT=", places), "OUTRIGGER_CONCURRENCY=off"}},
		{"concurrency, learned", crowded, places / each.Seconds(), 25, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, plan{upstream: tt.upstream, sidecars: 4, environment: tt.environment})
			done := make(chan []answer)
			go func() { done <- g.send(queues(call{label: "burst"}, 150, 80, 80, 80)) }()
			wait(g.ctx, settled)
			g.sidecars[0].Signal(t, syscall.SIGKILL)
			kill := time.Now()
			answers := <-done
			hits := g.seen("burst")
			t.Logf("served in each second from the kill on: %s", hits.line(kill, 12))
			from, to := kill.Add(2*time.Second), kill.Add(6*time.Second)
			g.least("the others' rate as a share of the limit", hits.rate(from, to)/tt.rate, 0.95)
			t.Logf("refused in %% from the kill on: %.3f", hits.between(kill, kill.Add(time.Minute)).refusedShare())
			g.most("refused in %", hits.refusedShare(), tt.refused)
			var left []answer
			for _, a := range answers {
				if a.sidecar != 0 {
					left = append(left, a)
				} else if a.status != http.StatusOK && a.status != 0 {
					t.Errorf("a call of the killed one: %d %.200s", a.status, a.body)
				}
			}
			succeed(t, left)
		})
	}
}
