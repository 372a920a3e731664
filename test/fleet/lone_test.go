package fleet

import (
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestLone_SidecarWithRedisIsAsFastAsWithout has a fleet of one.
func TestLone_SidecarWithRedisIsAsFastAsWithout(t *testing.T) {
	if mode != "" {
		t.Skip("SKIPPED: compares with a fleet")
	}
	for _, tt := range []struct {
		name        string
		environment []string
	}{{"configured", configured}, {"learned", nil}} {
		t.Run(tt.name, func(t *testing.T) {
			upstream := sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}
			with := newRig(t, plan{upstream: upstream, environment: tt.environment})
			without := newRig(t, plan{upstream: upstream, url: "none"})
			without.sidecars = nil
			without.join(1, tt.environment...)
			var took [2]time.Duration
			var both sync.WaitGroup
			for i, g := range []*rig{with, without} {
				both.Go(func() {
					start := time.Now()
					answers := g.send(queues(call{label: "burst"}, 200))
					took[i] = last(answers, start, -1)
					succeed(t, answers)
				})
			}
			both.Wait()
			t.Logf("with Redis %.2f s, %d refused; without %.2f s, %d refused", took[0].Seconds(), len(with.seen("").refused()), took[1].Seconds(), len(without.seen("").refused()))
			with.most("the time with Redis as a share of that without", took[0].Seconds()/took[1].Seconds(), 1.03)
		})
	}
}
