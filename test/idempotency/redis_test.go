package idempotency

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/test/redisserver"
)

// TestARedisThatGoesAwayFailsNothingButCreatesWithAKey stops and restarts, pauses and
// partitions the Redis of two sidecars under load. Calls without a key and computes
// with one all succeed; creates with a key too, or are told in so many words that they
// were not sent. When Redis is back, all is well again, and no create was done twice.
func TestARedisThatGoesAwayFailsNothingButCreatesWithAKey(t *testing.T) {
	server := redisserver.Start(t)
	link := redisserver.NewLink(t, server.Addr)
	upstream, url := newSim(t, sim.Config{Latency: 20 * time.Millisecond, TokenDelay: 2 * time.Millisecond, Tokens: 10, LedgerSize: 500_000})
	sidecars := []*sidecar{newSidecar(t, url, "redis://"+link.Addr), newSidecar(t, url, "redis://"+link.Addr)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var phase atomic.Pointer[tally]
	phase.Store(newTally())
	var all sync.WaitGroup
	for w := range 24 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				kind := kinds[(w+i)%len(kinds)]
				name := fmt.Sprintf("%s-%d-%d", kind, w, i)
				withKey := w%3 != 0
				outlast(t, ctx, sidecars, kind, name, withKey, &phase)
			}
		})
	}
	quiet, away := scaled(time.Second, 5*time.Second), scaled(2*time.Second, 10*time.Second)
	during := func(name string, d time.Duration) *tally {
		counts := newTally()
		phase.Store(counts)
		wait(ctx, d)
		t.Logf("%s: %v", name, counts)
		return counts
	}
	recovers(t, sidecars) // the first creates at an empty Redis wait until nobody can hold another claim
	wait(ctx, quiet)
	for _, outage := range []struct {
		name      string
		end, mend func(testing.TB)
	}{
		{"stopped", server.Stop, server.Run},
		{"paused", server.Pause, server.Resume},
		{"partitioned", func(testing.TB) { link.Cut() }, func(testing.TB) { link.Mend() }},
	} {
		outage.end(t)
		counts := during(outage.name, away)
		if counts.of("create: told so") == 0 || counts.of("chat: made") == 0 || counts.of("create without a key: made") == 0 {
			t.Errorf("%s: no create was refused, or nothing was made", outage.name)
		}
		outage.mend(t)
		recovers(t, sidecars)
		counts = during("after that", quiet)
		if counts.of("create: told so") > counts.of("create: made") { // a busy machine may cost some
			t.Errorf("after it was %s: most creates are still refused", outage.name)
		}
	}
	stop()
	all.Wait()
	twice(t, upstream)
}

// outlast makes a call, by one sidecar and then the other, until it is answered.
func outlast(t *testing.T, ctx context.Context, sidecars []*sidecar, kind, name string, withKey bool, phase *atomic.Pointer[tally]) {
	key, what := "", kind+" without a key"
	if withKey {
		key, what = name, kind
	}
	for i := 0; ; i++ {
		began := time.Now()
		got := call(t.Context(), sidecars[(i+len(name))%len(sidecars)].base, kind, name, key)
		counts := phase.Load()
		if time.Since(began) > 2*time.Second {
			counts.add("slow")
		}
		switch {
		case got.err == nil && got.status == http.StatusOK:
			counts.add(what + ": made")
			return
		case got.status == http.StatusServiceUnavailable && got.code == "idempotency_store_unavailable" && withKey && kind == create:
			counts.add(what + ": told so")
		default:
			t.Errorf("%s (key: %t): %+v", name, withKey, got)
			return
		}
		if wait(ctx, 50*time.Millisecond); ctx.Err() != nil {
			return
		}
	}
}

// recovers waits until each sidecar makes creates again.
func recovers(t *testing.T, sidecars []*sidecar) {
	t.Helper()
	for i, s := range sidecars {
		late, began := time.Now().Add(30*time.Second), time.Now()
		for n := 0; ; n++ {
			name := fmt.Sprintf("%s-recovers-%d-%d-%d", create, i, n, began.UnixNano())
			if got := call(t.Context(), s.base, create, name, name); got.status == http.StatusOK {
				break
			}
			if time.Now().After(late) {
				t.Fatalf("sidecar %d did not come back by itself", i)
			}
			wait(t.Context(), 10*time.Millisecond)
		}
		t.Logf("sidecar %d makes creates again after %v", i, time.Since(began).Round(time.Millisecond))
	}
}
