package fleet

import (
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// trouble is something that happens to the Redis of a fleet at work.
type trouble struct {
	name  string
	begin func(*testing.T, *rig) func() // returns what ends it
	lasts time.Duration
	// alone: each sidecar must say meanwhile that it is on its own, and why.
	alone bool
	// slow: each sidecar may be slower meanwhile, as where the whole fleet waits.
	slow        bool
	redis       []string // arguments of redis-server
	preload     []string // its environment
	environment []string
}

// settled is how long a fleet is at work before anything happens to it.
const settled = 4 * time.Second

// play has four sidecars with work without end. No call fails. Meanwhile few are refused,
// and work goes on. Within 5 s all share again: one sidecar alone then has the whole limit.
func (x trouble) play(t *testing.T) {
	t.Helper()
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}},
		sidecars: 4, redis: x.redis, preload: x.preload, environment: x.environment,
	})
	load := g.busy("busy", 40, 20, 10, 5)
	wait(g.ctx, settled)
	g.together(t, 4, 2*time.Second)
	began := time.Now()
	end := x.begin(t, g)
	if x.alone {
		g.degraded(t, 3*time.Second)
	}
	wait(g.ctx, x.lasts-time.Since(began))
	end()
	ended := time.Now()
	t.Logf("all share again after %v", g.together(t, 4, 5*time.Second).Round(time.Millisecond))
	wait(g.ctx, time.Second-time.Since(ended))
	succeed(t, load.stop())

	hits := g.seen("busy")
	meanwhile := hits.between(began, ended)
	t.Logf("served in each second before: %s, meanwhile: %s", hits.line(began.Add(-settled), int(settled/time.Second)), hits.line(began, int(ended.Sub(began)/time.Second)))
	g.most("refused meanwhile in %", meanwhile.refusedShare(), 10)
	if !x.slow {
		g.least("served per second meanwhile", hits.rate(began, ended), 0.7*rate)
	}
	x.whole(t, g)
}

// whole fails the test unless a single sidecar with something to do has the whole limit.
func (x trouble) whole(t *testing.T, g *rig) {
	t.Helper()
	const n = 5 * rate
	start := time.Now()
	answers := g.send(queues(call{label: "after"}, n))
	succeed(t, answers)
	g.most("the time that one sidecar alone takes, as a share of what the limit permits", last(answers, start, -1).Seconds()/(n/rate), 1.2)
	g.most("refused then in %", g.seen("after").refusedShare(), 5)
}
