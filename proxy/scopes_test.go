package proxy

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const embeddingBody = `{"model":"embed","input":"hi"}`

// brokenEmbeddings fails every embedding with 500 until they are mended.
func brokenEmbeddings(mended *atomic.Bool) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if strings.HasSuffix(r.URL.Path, "/embeddings") && !mended.Load() {
			answers(500, `{"error":{"message":"broken","type":"server_error"}}`)(w, r, n)
			return
		}
		fine(w, r, n)
	}
}

// embed asks for n embeddings at once, and returns the statuses and the longest time.
func (g *rig) embed(n int) (map[int]int, time.Duration) {
	var mu sync.Mutex
	var all sync.WaitGroup
	got, longest := map[int]int{}, time.Duration(0)
	for range n {
		all.Go(func() {
			start := time.Now()
			resp, _ := g.do(g.request(http.MethodPost, "/v1/embeddings", embeddingBody))
			mu.Lock()
			defer mu.Unlock()
			got[resp.StatusCode]++
			longest = max(longest, time.Since(start))
		})
	}
	all.Wait()
	return got, longest
}

func TestScope_OneBrokenEndpointClosesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, brokenEmbeddings(new(atomic.Bool)), realBackoff)
		var embeddings sync.WaitGroup
		for range 60 {
			embeddings.Go(func() { g.embed(1) })
			if resp, _ := g.chat(); resp.StatusCode != http.StatusOK {
				t.Fatalf("chat got %d", resp.StatusCode)
			}
			time.Sleep(100 * time.Millisecond) // the bubble's clock
		}
		up := g.status().Upstreams[0]
		if up.Breaker != "closed" || len(up.Scopes) != 1 || up.Scopes[0].Scope != "embeddings embed" {
			t.Errorf("breaker %s, scopes %+v", up.Breaker, up.Scopes)
		}
		if text := g.metricsText(); !strings.Contains(text, `outrigger_breaker_state{scope="all",upstream="openai"} 0`) ||
			!strings.Contains(text, `outrigger_breaker_state{scope="embeddings embed",upstream="openai"}`) {
			t.Errorf("the metrics do not tell of the scope:\n%s", text)
		}
		start := time.Now()
		if resp, _ := g.chat(); resp.StatusCode != http.StatusOK || time.Since(start) > time.Second {
			t.Errorf("chat got %d after %v", resp.StatusCode, time.Since(start))
		}
		embeddings.Wait()
	})
}

func TestScope_AfterTheWaitEachCallGetsOneAttemptAndItsOwnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		g := newBubble(t, brokenEmbeddings(&mended), realBackoff)
		if got, _ := g.embed(60); got[500] != 60 {
			t.Fatalf("got %v", got)
		}
		if resp, _ := g.chat(); resp.StatusCode != http.StatusOK { // the upstream's own breaker closes
			t.Fatalf("chat got %d", resp.StatusCode)
		}
		before := g.calls.Load()
		got, longest := g.embed(20)
		if calls := g.calls.Load() - before; got[500] != 20 || calls != 20 || longest > time.Second {
			t.Errorf("got %v after %v and %d calls, want 20 times 500 at once and 20 calls", got, longest, calls)
		}
		mended.Store(true)
		time.Sleep(2 * time.Second) // the bubble's clock
		g.embed(1)
		got, longest = g.embed(20)
		if got[200] != 20 || longest > time.Second {
			t.Errorf("mended, got %v after %v", got, longest)
		}
		if up := g.status().Upstreams[0]; len(up.Scopes) != 0 {
			t.Errorf("scopes %+v", up.Scopes)
		}
	})
}
