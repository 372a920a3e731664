package idempotency

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/test/chance"
)

// TestASidecarThatIsKilledAgainAndAgainForgetsNothing kills a sidecar with a file
// store in a loop, under load. Callers ask again with their keys until they have an
// answer, or are told that it is not known. In the end each answer that a caller had
// is still there to the byte, and no create was done twice.
func TestASidecarThatIsKilledAgainAndAgainForgetsNothing(t *testing.T) {
	const workers = 24
	upstream, url := newSim(t, sim.Config{Latency: 20 * time.Millisecond, TokenDelay: 2 * time.Millisecond, Tokens: 10, LedgerSize: 500_000})
	s := newSidecar(t, url, "file:"+filepath.Join(t.TempDir(), "answers.db"))
	ctx, stop := context.WithTimeout(t.Context(), scaled(8*time.Second, time.Minute))
	defer stop()
	told, counts := newAnswers(), newTally()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				kind := kinds[(w+i)%len(kinds)]
				name := fmt.Sprintf("%s-%d-%d", kind, w, i)
				insist(t, s.base, kind, name, told, counts)
				if again, ok := told.any(); ok && i%4 == 0 {
					told.check(t, s.base, again, counts)
				}
			}
		})
	}
	kills, random := 0, rand.New(rand.NewPCG(chance.Seed(t), 0))
	for ; ctx.Err() == nil; kills++ {
		wait(ctx, 100*time.Millisecond+time.Duration(random.Int64N(int64(900*time.Millisecond))))
		s.Signal(t, syscall.SIGKILL)
		s.Wait(t)
		s.run(t)
	}
	all.Wait()
	for name := range told.kind {
		told.check(t, s.base, name, counts)
	}
	t.Logf("%d kills, %d answers: %v", kills, len(told.kind), counts)
	twice(t, upstream)
	if counts.of("unknown") == 0 || counts.of("cut") == 0 || counts.of("replay") < len(told.kind) {
		t.Error("the kills did not hit creates, or nothing was replayed")
	}
}

// answers is what callers were told, and may ask for again.
type answers struct {
	mu   sync.Mutex
	body map[string]string
	kind map[string]string
	old  []string
}

func newAnswers() *answers { return &answers{body: map[string]string{}, kind: map[string]string{}} }

func (a *answers) add(kind, name, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.body[name], a.kind[name] = body, kind
	a.old = append(a.old, name)
}

// any returns the name of one of them.
func (a *answers) any() (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.old) == 0 {
		return "", false
	}
	return a.old[rand.IntN(len(a.old))], true
}

// check asks for one again, until the sidecar answers: it must be the same.
func (a *answers) check(t *testing.T, base, name string, counts *tally) {
	a.mu.Lock()
	kind, want := a.kind[name], a.body[name]
	a.mu.Unlock()
	for t.Context().Err() == nil {
		got := call(t.Context(), base, kind, name, name)
		if got.err != nil || got.status == http.StatusServiceUnavailable {
			wait(t.Context(), 20*time.Millisecond)
			continue
		}
		if got.status != http.StatusOK || got.source != "replay" || got.body != want {
			t.Errorf("%s: a caller had %q, and later gets %+v", name, want, got)
		}
		counts.add("replay")
		return
	}
}

// insist makes a call until it has an answer.
func insist(t *testing.T, base, kind, name string, told *answers, counts *tally) {
	for t.Context().Err() == nil {
		got := call(t.Context(), base, kind, name, name)
		switch {
		case got.err != nil && got.status == 0:
			counts.add("refused or reset")
		case got.err != nil:
			counts.add("cut")
		case got.status == http.StatusOK:
			counts.add("answered: " + kind)
			told.add(kind, name, got.body)
			return
		case got.status == http.StatusConflict && got.code == "idempotency_outcome_unknown" && kind == create:
			counts.add("unknown")
			return
		default:
			t.Errorf("%s: %+v", name, got)
			return
		}
		wait(t.Context(), 20*time.Millisecond)
	}
}
