package fleet

import (
	"syscall"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
	"outrigger/test/redisserver"
)

// configured gives the sidecars the limit, which they otherwise learn.
var configured = []string{"OUTRIGGER_RPM=1200", "OUTRIGGER_LEARN=false"}

func killed(t *testing.T, g *rig) func() {
	t.Helper()
	g.redis.kill(t)
	return func() { g.redis.start(t) }
}

func paused(t *testing.T, g *rig) func() {
	t.Helper()
	g.redis.running.Signal(t, syscall.SIGSTOP)
	return func() { g.redis.running.Signal(t, syscall.SIGCONT) }
}

// TestRedis_AwayFailsNoRequest takes Redis away from a fleet at work and gives it back.
func TestRedis_AwayFailsNoRequest(t *testing.T) {
	for _, x := range []trouble{
		{name: "killed, back with its data", begin: killed, lasts: 4 * time.Second, alone: true, redis: keepsData},
		{name: "killed, back empty", begin: killed, lasts: 4 * time.Second, alone: true},
		{name: "killed, back empty, limit configured", begin: killed, lasts: 4 * time.Second, alone: true, environment: configured},
		{name: "killed, back at once", begin: killed, slow: true},
		{name: "paused", begin: paused, lasts: 10 * time.Second, alone: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.play(t)
		})
	}
}

// TestRedis_CutOffFailsNoRequest drops every packet between the sidecars and Redis.
func TestRedis_CutOffFailsNoRequest(t *testing.T) {
	server := redisserver.Start(t)
	link := redisserver.NewLink(t, server.Addr)
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}},
		sidecars: 4, url: "redis://" + link.Addr,
	})
	load := g.busy("busy", 40, 20, 10, 5)
	wait(g.ctx, settled)
	g.together(t, 4, 2*time.Second)
	began := time.Now()
	link.Cut()
	g.degraded(t, 3*time.Second)
	wait(g.ctx, 5*time.Second-time.Since(began))
	link.Mend()
	ended := time.Now()
	t.Logf("all share again after %v", g.together(t, 4, 5*time.Second).Round(time.Millisecond))
	succeed(t, load.stop())
	hits := g.seen("busy")
	g.most("refused meanwhile in %", hits.between(began, ended).refusedShare(), 10)
	g.least("served per second meanwhile", hits.rate(began, ended), 0.7*rate)
}

// TestRedis_AwayHoldsAClosedFleet has a fleet that would rather wait: while Redis is away
// nothing but what was leased before reaches the upstream, and no call fails.
func TestRedis_AwayHoldsAClosedFleet(t *testing.T) {
	const away = 4 * time.Second
	g := newRig(t, plan{
		upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}},
		sidecars: 4, environment: []string{"OUTRIGGER_FLEET_FAIL=closed"},
	})
	load := g.busy("busy", 40, 20, 10, 5)
	wait(g.ctx, settled)
	g.together(t, 4, 2*time.Second)
	began := time.Now()
	g.redis.kill(t)
	wait(g.ctx, away)
	g.redis.start(t)
	ended := time.Now()
	t.Logf("all share again after %v", g.together(t, 4, 5*time.Second).Round(time.Millisecond))
	wait(g.ctx, 2*time.Second)
	succeed(t, load.stop())
	hits := g.seen("busy")
	t.Logf("served in each second from the kill on: %s", hits.line(began, 12))
	g.most("served per second while Redis is away", hits.rate(began.Add(500*time.Millisecond), ended), 0.1*rate)
	trouble{}.whole(t, g)
}
