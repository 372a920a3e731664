package fleet

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// slow lets 10 per second through.
var slow = meter.Limit{RPM: 600, Burst: time.Second}

const slowRate = 10

var slowConfigured = []string{"OUTRIGGER_RPM=600", "OUTRIGGER_LEARN=false"}

// TestPriority_HighPassesLowOfOtherSidecars has 200 low calls queued at four sidecars and
// then 20 high ones at a fifth: those are done in the time that 25 calls need, and of what
// goes out meanwhile at least a twelfth is low.
func TestPriority_HighPassesLowOfOtherSidecars(t *testing.T) {
	t.Parallel()
	const high, need = 20, 25
	g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{slow}}, sidecars: 5, environment: slowConfigured})
	low := make(chan []answer)
	go func() { low <- g.send(queues(call{label: "low", priority: "low"}, 50, 50, 50, 50)) }()
	wait(g.ctx, 3*time.Second)
	start := time.Now()
	answers := g.send(queues(call{label: "high", priority: "high"}, 0, 0, 0, 0, high))
	end := time.Now()
	succeed(t, append(answers, <-low...))
	hits := g.seen("low").between(start, end).served()
	t.Logf("served in each second from the high ones on: low %s, high %s", g.seen("low").line(start, 20), g.seen("high").line(start, 20))
	g.most("seconds until the last high one", end.Sub(start).Seconds(), float64(need)/slowRate+thought.Seconds())
	g.least("low ones meanwhile, as a share of all", float64(len(hits))/float64(len(hits)+high), 1.0/12)
	g.most("refused in %", g.seen("").refusedShare(), 3)
	if forwarded := g.seen("").of(func(e ledger.Entry) bool { return e.Status == http.StatusBadRequest }); len(forwarded) > 0 {
		t.Errorf("%d bad requests", len(forwarded))
	}
}

// TestDeadline_ThatTheFleetCannotMakeIsToldAtOnce has a queue that one sidecar alone would
// have done within the caller's timeout, and that takes four times as long beside others.
func TestDeadline_ThatTheFleetCannotMakeIsToldAtOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{slow}}, sidecars: 4, environment: slowConfigured})
	low := make(chan []answer)
	go func() { low <- g.send(queues(call{label: "low", priority: "low"}, 50, 50, 50, 50)) }()
	wait(g.ctx, 2*time.Second)
	late := g.do(call{label: "late", priority: "low", timeout: "9"})
	t.Logf("told after %v: %d from %s: %.300s", late.took.Round(time.Millisecond), late.status, late.source, late.body)
	if late.status != http.StatusTooManyRequests || late.source != "local" {
		t.Errorf("got %d from %s, want 429 from Outrigger", late.status, late.source)
	}
	g.most("seconds until it was told", late.took.Seconds(), 0.5)
	inTime := g.do(call{label: "intime", priority: "high", timeout: "9"})
	if inTime.status != http.StatusOK {
		t.Errorf("a high one with the same deadline: %d from %s: %.200s", inTime.status, inTime.source, inTime.body)
	}
	succeed(t, <-low)
	if hits := g.seen("late"); len(hits) > 0 {
		t.Errorf("the upstream got %d calls whose caller was told off", len(hits))
	}
}
