package fleet

import (
	"net/http"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// answered keeps what the upstream answered with this status.
func (s seen) answered(status int) seen {
	return s.of(func(e ledger.Entry) bool { return e.Status == status })
}

// TestRefusal_OfACredentialIsAskedForOncePerCooldown has a credential that worked and then
// is refused for good: after one sidecar was told so, all answer from memory, one that
// joins too, and the fleet sends one call per cooldown.
func TestRefusal_OfACredentialIsAskedForOncePerCooldown(t *testing.T) {
	const cooldown, cooldowns, sidecars = 3 * time.Second, 3, 8
	for _, tt := range []struct {
		name, row string
		status    int
	}{
		{"exhausted quota", "openai/429_quota_no_credits_2026", http.StatusTooManyRequests},
		{"revoked key", "openai/401_invalid_api_key_classic", http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			environment := []string{"OUTRIGGER_TRIP_COOLDOWN=" + cooldown.String()}
			g := newRig(t, plan{upstream: sim.Config{Latency: thought}, sidecars: sidecars, environment: environment})
			each := func(label string, n int) []answer {
				return g.send(queues(call{label: label}, every(len(g.sidecars), n)...))
			}
			succeed(t, each("before", 3))
			if err := g.sim.SetAccount(sim.Account{Credential: "*", Row: tt.row}); err != nil {
				t.Fatal(err)
			}
			// An unknown header may be what was refused: so all calls have the same.
			const named = "all/first/after/0"
			first := g.send(queues(call{label: "first", named: named}, 1))
			told := first[0].at
			refused(t, first, tt.status)
			// A credential that worked a moment ago is tried once more before it is believed dead.
			before := len(g.seen("first"))
			most(t, "calls of the first who was told", float64(before), 2)
			wait(g.ctx, 200*time.Millisecond)
			if mode == "" {
				g.join(1, append(environment, "OUTRIGGER_REDIS_URL=redis://"+g.redis.addr)...)
			}
			for time.Since(told) < cooldowns*cooldown+cooldown/2 {
				refused(t, g.send(queues(call{label: "after", named: named}, every(len(g.sidecars), 1)...)), tt.status)
				wait(g.ctx, 100*time.Millisecond)
			}
			probes := g.seen("after").answered(tt.status)[before:]
			t.Logf("%d calls in %v, of which the upstream got %d", len(g.sidecars), time.Since(told).Round(time.Millisecond), len(g.seen("after")))
			for _, e := range probes {
				t.Logf("%s: %.3f s after the first", e.Request, e.Time.Sub(told).Seconds())
			}
			most(t, "upstream calls in so many cooldowns", float64(len(probes)), cooldowns)
			least(t, "upstream calls in so many cooldowns", float64(len(probes)), 1)

			if err := g.sim.SetAccount(sim.Account{Credential: "*"}); err != nil {
				t.Fatal(err)
			}
			took, ok := within(g.ctx, cooldown+2*time.Second, func() bool { return works(each("again", 1)) })
			if !ok {
				t.Errorf("the credential works again, and %v later not all sidecars use it", took)
			}
			t.Logf("all use the credential again after %v", took.Round(time.Millisecond))
		})
	}
}

// every is n for each of so many sidecars.
func every(sidecars, n int) []int {
	all := make([]int, sidecars)
	for i := range all {
		all[i] = n
	}
	return all
}

func refused(t *testing.T, answers []answer, status int) {
	t.Helper()
	for _, a := range answers {
		if a.status != status {
			t.Errorf("%s: %d from %s, want the refusal's %d: %.200s", a.name(), a.status, a.source, status, a.body)
		}
	}
}

func works(answers []answer) bool {
	for _, a := range answers {
		if a.status != http.StatusOK {
			return false
		}
	}
	return true
}

// TestPause_ThatOneRefusalNamesIsKeptByAll has one call refused with a Retry-After of 5 s:
// no sidecar sends anything in that time, and all calls succeed after it.
func TestPause_ThatOneRefusalNamesIsKeptByAll(t *testing.T) {
	t.Parallel()
	const pause = 5 * time.Second
	g := newRig(t, plan{upstream: sim.Config{Latency: thought, Limits: []meter.Limit{bucket}}, sidecars: 8, environment: configured})
	succeed(t, g.send(queues(call{label: "before"}, every(8, 1)...)))
	rule := fault.Rule{
		Kind: fault.KindStatus, Status: http.StatusTooManyRequests, First: 1,
		Headers: map[string]string{"Retry-After": "5"}, Body: `{"error":{"message":"Too Many Requests"}}`,
	}
	if err := g.sim.SetFaults(rule); err != nil {
		t.Fatal(err)
	}
	first := make(chan []answer)
	go func() { first <- g.send(queues(call{label: "first"}, 1)) }()
	var hits seen
	if _, ok := within(g.ctx, 5*time.Second, func() bool { hits = g.seen("first").refused(); return len(hits) > 0 }); !ok {
		t.Fatal("the first call was not refused")
	}
	at := hits[0].Time
	wait(g.ctx, 300*time.Millisecond) // until all know
	answers := append(g.send(queues(call{label: "after"}, every(8, 2)...)), <-first...)
	succeed(t, answers)
	early := g.seen("").between(at.Add(100*time.Millisecond), at.Add(pause))
	for _, e := range early {
		t.Logf("%s: %.3f s after the refusal", e.Request, e.Time.Sub(at).Seconds())
	}
	most(t, "upstream calls in the pause", float64(len(early)), 0)
	g.most("seconds until the last answer", last(answers, at, -1).Seconds(), pause.Seconds()+2)
}
