package scenario

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/proxy/settings"
	"outrigger/test/redisserver"
)

// stores are the forms of OUTRIGGER_STORE, and how many sidecars share one.
var stores = map[string]struct {
	spec     func(t *testing.T) string
	sidecars int
}{
	"memory": {func(*testing.T) string { return "memory" }, 1},
	"file":   {func(t *testing.T) string { return "file:" + filepath.Join(t.TempDir(), "answers.db") }, 1}, //nolint:thelper // no helper
	"redis":  {func(t *testing.T) string { return "redis://" + redisserver.Start(t).Addr }, 2},             //nolint:thelper // no helper
}

// keyed are calls whose key tells what they are: computes and creates, JSON and
// streams, and forms, whose boundary is another one for each try.
func keyed(i int) (string, string, []byte) {
	prompt := `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"` + strconv.Itoa(i) + `"}]`
	switch i % 4 {
	case 0:
		return "/chat/completions", "application/json", []byte(prompt + "}")
	case 1:
		return "/chat/completions", "application/json", []byte(prompt + `,"stream":true}`)
	case 2:
		return "/chat/completions", "application/json", []byte(prompt + `,"store":true}`)
	}
	contentType, body := file(strconv.Itoa(i))
	return "/files", contentType, body
}

func creates(i int) bool { return i%4 >= 2 }

// troubled are faults for every kind of call. A create's answers are lost only after
// the work: then there is one piece of it, whatever follows.
func troubled() []fault.Rule {
	return []fault.Rule{
		{Kind: fault.KindStatus, Status: http.StatusServiceUnavailable, Probability: 0.1},
		{Kind: fault.KindStatus, Status: http.StatusTooManyRequests, Probability: 0.05},
		{Kind: fault.KindReset, After: true, Probability: 0.1},
		{Kind: fault.KindCutClose, Events: 3, Path: "/v1/chat/completions", Probability: 0.05},
	}
}

// told is what one caller of a call was told in the end.
type told struct {
	status int
	source string
	body   string
}

// untilDone asks as an app would: with the same key again after each answer that
// is a failure or broke off, but not after one that says to look first.
func (g *rig) untilDone(ctx context.Context, base string, i int) (told, error) {
	for try := range 60 {
		if try > 0 {
			time.Sleep(20 * time.Millisecond)
		}
		path, contentType, body := keyed(i)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
		if err != nil {
			return told{}, err
		}
		r.Header = http.Header{"Authorization": {"Bearer sk-scenario"}, "Content-Type": {contentType}, "Idempotency-Key": {"key-" + strconv.Itoa(i)}}
		resp, err := g.client.Do(r)
		if err != nil {
			continue
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		got := told{resp.StatusCode, resp.Header.Get("X-Outrigger-Source"), string(text)}
		switch {
		case err != nil:
		case got.status == http.StatusOK,
			strings.Contains(got.body, "idempotency_outcome_unknown"), strings.Contains(got.body, "upstream_ambiguous"):
			return got, nil
		case got.status < http.StatusInternalServerError && got.status != http.StatusTooManyRequests:
			return got, fmt.Errorf("status %d: %.200s", got.status, got.body)
		}
	}
	return told{}, fmt.Errorf("call %d has no answer after 60 tries", i)
}

// Eight callers ask at once for each of many calls, through trouble. Whatever each of
// them met on the way, all eight end with the same bytes, and no create is done twice.
func TestEightCallersOfOneKeyGetOneAnswer(t *testing.T) {
	keys, each := 1000, 8
	if testing.Short() {
		keys = 60
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			spec := store.spec(t)
			edit := func(c *settings.Config) {
				if err := c.Store.Spec.UnmarshalText([]byte(spec)); err != nil {
					t.Fatal(err)
				}
				c.Retry.Base, c.Retry.Cap, c.Retry.Budget = time.Millisecond, 5*time.Millisecond, 10
				c.Breaker.Ratio, c.Breaker.Consecutive, c.Limit.Learn = 0, 0, false
			}
			g := newRig(t, sim.Config{Seed: 7, Latency: 5 * time.Millisecond}, edit)
			bases := []string{g.base}
			for len(bases) < store.sidecars {
				bases = append(bases, g.sidecar(edit))
			}
			if err := g.sim.SetFaults(troubled()...); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			answers := g.eightEach(t, bases, keys, each)
			t.Logf("%d keys x %d in %v", keys, each, time.Since(began).Round(time.Millisecond))
			works := map[string]int{}
			for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
				if e.Work {
					works[e.Key]++
				}
			}
			kinds := map[string]int{}
			for i, seen := range answers {
				kinds[g.judge(t, i, works["key-"+strconv.Itoa(i)], seen)]++
			}
			t.Logf("%v", kinds)
			if kinds["done"] < keys*3/4 || kinds["lost"] == 0 && keys == 1000 {
				t.Errorf("%v: want most calls done and some creates lost, else nothing was tried", kinds)
			}
		})
	}
}

// eightEach asks for each key as often as told, a few keys at a time.
func (g *rig) eightEach(t *testing.T, bases []string, keys, each int) [][]told {
	t.Helper()
	answers := make([][]told, keys)
	slots := make(chan struct{}, 12)
	var all sync.WaitGroup
	for i := range keys {
		answers[i] = make([]told, each)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			var same sync.WaitGroup
			for n := range each {
				same.Go(func() {
					got, err := g.untilDone(t.Context(), bases[n%len(bases)], i)
					if err != nil {
						t.Error(err)
					}
					answers[i][n] = got
				})
			}
			same.Wait()
		})
	}
	all.Wait()
	return answers
}

// judge compares what all callers of one key were told with what was done for it.
func (g *rig) judge(t *testing.T, i, works int, seen []told) string {
	t.Helper()
	bodies := map[string]int{}
	for _, s := range seen {
		bodies[s.body]++
	}
	if creates(i) && works != 1 {
		t.Errorf("call %d, a create, was done %d times", i, works)
	}
	if seen[0].status == http.StatusOK {
		if len(bodies) != 1 {
			t.Errorf("call %d has %d different answers: %.300q", i, len(bodies), slices.Collect(maps.Keys(bodies)))
		}
		// One of the eight had it made, unless that one's answer broke off and came
		// to it the second time.
		again, err := g.untilDone(t.Context(), g.base, i)
		if err != nil || again != (told{http.StatusOK, "replay", seen[0].body}) {
			t.Errorf("call %d, asked once more, got %d from %s: %.100q, %v", i, again.status, again.source, again.body, err)
		}
		return "done"
	}
	for _, s := range seen {
		if !creates(i) || s.status != http.StatusFailedDependency && s.status != http.StatusConflict {
			t.Errorf("call %d: one was told %d, another %d: %.200s", i, seen[0].status, s.status, s.body)
		}
	}
	return "lost"
}
