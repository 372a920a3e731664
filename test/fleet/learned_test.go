package fleet

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/meter"
)

// TestLearned_LimitIsKnownToAllAndKept has one sidecar learn a limit of which only refusals
// tell. One that has never sent anything knows it then, and so does one that starts when
// all others have ended.
func TestLearned_LimitIsKnownToAllAndKept(t *testing.T) {
	narrow := meter.Limit{RPM: rpm, Burst: 500 * time.Millisecond} // who does not know it is refused soon
	for _, tt := range []struct {
		name  string
		style sim.Style
		says  func(http.Handler) http.Handler
	}{
		{"from refusals with a wait in words", sim.NoHeaders, nil},
		{"from refusals with a Retry-After", sim.OpenAI, bare},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, plan{upstream: sim.Config{Latency: thought, Style: tt.style, Limits: []meter.Limit{narrow}}, says: tt.says, sidecars: 2})
			succeed(t, g.send(queues(call{label: "learns"}, 200)))
			t.Logf("refused while one learns: %d", len(g.seen("learns").refused()))
			knows(t, g, "other", 0, 100)
			for _, s := range g.sidecars {
				if status := s.Stop(t); status != 0 {
					t.Errorf("a sidecar ended with status %d", status)
				}
			}
			g.sidecars = nil
			environment := []string{}
			if mode == "" {
				environment = append(environment, "OUTRIGGER_REDIS_URL=redis://"+g.redis.addr)
			}
			g.join(1, environment...)
			knows(t, g, "new", 100)
		})
	}
}

// knows fails the test if calls at once meet refusals, as where the limit is learned anew.
func knows(t *testing.T, g *rig, label string, n ...int) {
	t.Helper()
	start := time.Now()
	answers := g.send(queues(call{label: label}, n...))
	succeed(t, answers)
	t.Logf("%s: %.2f s, served in each second: %s", label, last(answers, start, -1).Seconds(), g.seen(label).line(start, 8))
	g.most(label+": refused of 100", float64(len(g.seen(label).refused())), 0)
	g.most(label+": seconds until the last answer", last(answers, start, -1).Seconds(), 1.2*100/rate)
}
