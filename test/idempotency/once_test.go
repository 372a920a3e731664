package idempotency

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/test/redisserver"
)

// TestEightAtOnceAreDoneOnceAndAnsweredAlike sends each call eight times at once, to
// one sidecar or to two that share a Redis, at an upstream that fails now and then.
// All eight get the same bytes, and a create is done once.
func TestEightAtOnceAreDoneOnceAndAnsweredAlike(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (string, int){
		"memory": func(*testing.T) (string, int) { return "memory", 1 },
		"file":   func(t *testing.T) (string, int) { return "file:" + filepath.Join(t.TempDir(), "answers.db"), 1 },
		"redis":  func(t *testing.T) (string, int) { return "redis://" + redisserver.Start(t).Addr, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			store, n := open(t)
			upstream, url := newSim(t, sim.Config{
				Latency: 20 * time.Millisecond, TokenDelay: time.Millisecond, Tokens: 8, LedgerSize: 100_000,
				Faults: []fault.Rule{
					// Surely not carried out.
					{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Path: "/v1/files", Attempts: 1, Probability: 0.2},
					// Carried out, and nobody heard of it.
					{Kind: fault.KindReset, After: true, Path: "/v1/chat", Attempts: 1, Probability: 0.2},
				},
			})
			var sidecars []*sidecar
			for range n {
				sidecars = append(sidecars, newSidecar(t, url, store))
			}
			eightTimes(t, sidecars)
			twice(t, upstream)
			if faults := upstream.Ledger().Totals(); faults["files"].Faults == 0 || faults["chat.completions"].Faults == 0 {
				t.Errorf("nothing failed: %+v", faults)
			}
		})
	}
}

func eightTimes(t *testing.T, sidecars []*sidecar) {
	t.Helper()
	counts := newTally()
	var all sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range scaled(200, 1000) {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			kind := kinds[i%len(kinds)]
			alike(t, sidecars, kind, fmt.Sprintf("%s-%d", kind, i), counts)
		})
	}
	all.Wait()
	t.Logf("%v", counts)
	if counts.of("upstream") == 0 || counts.of("replay") == 0 {
		t.Error("nothing was made, or nothing repeated")
	}
	most := scaled(200, 1000) / 10
	if len(sidecars) == 1 {
		most = 0 // its store is its own
	}
	if counts.of("without the store") > most {
		t.Error("the store was hardly ever there")
	}
}

// alike makes one call eight times at once, and once more.
func alike(t *testing.T, sidecars []*sidecar, kind, name string, counts *tally) {
	got := make([]answer, 9)
	var all sync.WaitGroup
	for i := range got[:8] {
		all.Go(func() { got[i] = call(t.Context(), sidecars[i%len(sidecars)].base, kind, name, name) })
	}
	all.Wait()
	got[8] = call(t.Context(), sidecars[0].base, kind, name, name)
	if slices.ContainsFunc(got, func(a answer) bool { return a.alone || a.code == "idempotency_store_unavailable" }) {
		counts.add("without the store") // on a busy machine Redis may answer too late
		return
	}
	made := 0
	for i, a := range got {
		counts.add(a.source)
		if a.source == "upstream" {
			made++
		}
		if a.err != nil || a.status != http.StatusOK || a.body != got[0].body {
			t.Errorf("%s, number %d: %+v, want as the first: %+v", name, i, a, got[0])
		}
	}
	if made != 1 {
		t.Errorf("%s: %d of the answers came from the upstream, want one", name, made)
	}
}
