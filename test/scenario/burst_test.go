package scenario

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// burst is what became of calls that were all sent at once.
type burst struct {
	ok       int
	makespan time.Duration   // until the last answer
	sent     []time.Duration // when each call that was let through reached the upstream, in order
	calls    int             // that reached the upstream
	refused  int             // of those
}

// send makes n calls at once and waits for all.
func (g *rig) send(n int, call func(i int) (int, string)) burst {
	start := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var b burst
	for i := range n {
		wg.Go(func() {
			status, answer := call(i)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusOK {
				b.ok++
				return
			}
			if n-b.ok < 5 {
				g.t.Logf("call %d: %d %.200s", i, status, answer)
			}
		})
	}
	wg.Wait()
	b.makespan = time.Since(start)
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		b.calls++
		if e.Status == http.StatusTooManyRequests {
			b.refused++
			continue
		}
		b.sent = append(b.sent, e.Time.Sub(start))
	}
	slices.Sort(b.sent)
	return b
}

func TestABurstFinishesInTheTimeThatTheLimitNeeds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 25 s")
	}
	const calls, rpm = 400, 1200
	refill := meter.Limit{RPM: rpm, Burst: time.Second}
	quanta := meter.Limit{RPM: rpm, Enforce: meter.Quanta}
	counting := func(l meter.Limit) meter.Limit { l.CountRefusals = true; return l }
	// The bucket holds a second's worth at the start; quanta give each second's at its start.
	const best = (calls - rpm/60) * time.Minute / rpm
	tests := map[string]struct {
		limit   meter.Limit
		network time.Duration
		refused int // at most
	}{
		"refill":                             {refill, 0, calls / 20},
		"refill, refusals count":             {counting(refill), 0, calls / 20},
		"quanta":                             {quanta, 0, calls / 20},
		"quanta, refusals count":             {counting(quanta), 0, calls / 20},
		"refill, 200 ms away":                {refill, 100 * time.Millisecond, calls / 10},
		"refill, refusals count, 200 ms off": {counting(refill), 100 * time.Millisecond, calls / 10},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, sim.Config{Latency: 20 * time.Millisecond, Network: tt.network, Limits: []meter.Limit{tt.limit}})
			b := g.send(calls, func(i int) (int, string) { return g.chat(t.Context(), i) })
			optimum := best + 20*time.Millisecond + 2*tt.network
			ratio := float64(b.makespan) / float64(optimum)
			t.Logf("%d of %d succeeded in %s, %.3f of the optimum; %d refused (%.1f %%)",
				b.ok, calls, b.makespan.Round(10*time.Millisecond), ratio, b.refused, 100*float64(b.refused)/calls)
			if b.ok != calls {
				t.Errorf("%d of %d succeeded", b.ok, calls)
			}
			timely(t, "the time as a share of the optimum", ratio, 1.05)
			timely(t, "the number of refused calls", float64(b.refused), float64(tt.refused))
		})
	}
}

func TestABurstOfMixedSizesFinishesInTheTimeThatTheTokenLimitNeeds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 25 s")
	}
	const tpm, bucket = 120_000, 4_000
	g := newRig(t, sim.Config{Latency: 20 * time.Millisecond, Limits: []meter.Limit{{TPM: tpm, Burst: bucket * time.Minute / tpm}}})
	sizes := slices.Concat(slices.Repeat([]int{100}, 60), slices.Repeat([]int{500}, 30), slices.Repeat([]int{2500}, 10))
	total := 0
	for _, n := range sizes {
		total += n
	}
	// In an order that mixes them, the same in every run: 37 and 100 have no common factor.
	b := g.send(len(sizes), func(i int) (int, string) { return g.chatOf(t.Context(), i, sizes[i*37%100]) })
	optimum := time.Duration(total-bucket) * time.Minute / tpm
	ratio := float64(b.makespan) / float64(optimum)
	t.Logf("%d of %d succeeded in %s, %.3f of the optimum; %d refused", b.ok, len(sizes), b.makespan.Round(10*time.Millisecond), ratio, b.refused)
	if b.ok != len(sizes) {
		t.Errorf("%d of %d succeeded", b.ok, len(sizes))
	}
	timely(t, "the time as a share of the optimum", ratio, 1.10)
	timely(t, "the number of refused calls", float64(b.refused), float64(len(sizes)/10))
}

func TestAnUnlimitedUpstreamIsHardlyHeldUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	const calls, latency = 1000, 500 * time.Millisecond
	g := newRig(t, sim.Config{Latency: latency})
	run := func(g *rig, round int) burst {
		g.sim.Ledger().Reset()
		return g.send(calls, func(i int) (int, string) { return g.chat(t.Context(), round*calls+i) })
	}
	bare := run(g.bare(), 0)
	cold, warm := run(g, 1), run(g, 2)
	t.Logf("%d calls of %s: through a bare reverse proxy %s, through Outrigger cold %s, warm %s",
		calls, latency, bare.makespan, cold.makespan, warm.makespan)
	if bare.ok != calls || cold.ok != calls || warm.ok != calls {
		t.Errorf("%d, %d and %d of %d succeeded", bare.ok, cold.ok, warm.ok, calls)
	}
	timely(t, "the seconds that a cold burst takes longer", (cold.makespan - bare.makespan).Seconds(), 1)
}

func TestAMinutesBudgetInOneBucketIsUsedAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s")
	}
	const calls = 400
	g := newRig(t, sim.Config{Latency: 20 * time.Millisecond, Limits: []meter.Limit{{RPM: 1200}}})
	b := g.send(calls, func(i int) (int, string) { return g.chat(t.Context(), i) })
	t.Logf("%d of %d succeeded, the last was sent after %s; %d refused", b.ok, calls, b.sent[len(b.sent)-1], b.refused)
	if b.ok != calls {
		t.Errorf("%d of %d succeeded", b.ok, calls)
	}
	timely(t, "the seconds until the last was sent", b.sent[len(b.sent)-1].Seconds(), 1.5)
}
