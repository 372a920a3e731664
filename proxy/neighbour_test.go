package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// neighbourhood is where a neighbour calls a model that is well with a key of its own, ten
// times a second for ten seconds, while 20 callers of another key call what fails, and have
// for a while. Each tenth of the neighbour's calls fails once, its very first among them.
type neighbourhood struct {
	model func(n int) string // what the failing callers ask for
	edits []func(*settings.Config)
}

// neighbour is how it fared.
type neighbour struct {
	failed  int
	median  time.Duration
	longest time.Duration
}

const neighbourCalls = 100

func (n neighbourhood) run(t *testing.T, failing int) neighbour {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]int{}
	g := newBubble(t, func(w http.ResponseWriter, r *http.Request, c int) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer neighbour" {
			time.Sleep(100 * time.Millisecond)
			answers(500, `{"error":{"message":"The server had an error","type":"server_error"}}`)(w, r, c)
			return
		}
		mu.Lock()
		seen[string(body)]++
		first := seen[string(body)] == 1
		mu.Unlock()
		if strings.Contains(string(body), `0!"`) && first {
			answers(500, `{"error":{"message":"The server had an error","type":"server_error"}}`)(w, r, c)
			return
		}
		fine(w, r, c)
	}, append([]func(*settings.Config){realBackoff}, n.edits...)...)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range failing {
		all.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				r := g.request(http.MethodPost, "/v1/chat/completions", fmt.Sprintf(`{"model":%q,"messages":[]}`, n.model(i*1000+k)))
				r.Header.Set("Authorization", "Bearer failing")
				if resp, err := g.client.Do(r.WithContext(ctx)); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}
		})
	}
	var result neighbour
	var times []time.Duration
	var calls sync.WaitGroup
	time.Sleep(5 * time.Second) // the bubble's clock: the others have failed for a while
	for i := range neighbourCalls {
		calls.Go(func() {
			began := time.Now()
			r := g.request(http.MethodPost, "/v1/chat/completions", fmt.Sprintf(`{"model":"well","messages":[{"role":"user","content":"%d!"}]}`, i))
			r.Header.Set("Authorization", "Bearer neighbour")
			resp, _ := g.do(r)
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(began))
			if resp.StatusCode != http.StatusOK {
				result.failed++
			}
		})
		time.Sleep(100 * time.Millisecond)
	}
	calls.Wait()
	stop()
	all.Wait()
	slices.Sort(times)
	result.median, result.longest = times[len(times)/2], times[len(times)-1]
	return result
}

func TestANeighbourIsAsWellOffAsAlone(t *testing.T) {
	same := func(int) string { return "broken" }
	each := func(n int) string { return fmt.Sprint("invented-", n) }
	two := func(c *settings.Config) {
		second := c.Upstreams[0]
		second.Name, second.CallerKey = "second", settings.CallerKeySend
		at := *second.URL
		second.URL = &url.URL{Scheme: at.Scheme, Host: "second.test"}
		c.Upstreams = append(c.Upstreams, second)
	}
	for name, n := range map[string]neighbourhood{
		"one failing model":                    {same, nil},
		"many failing models":                  {each, nil},
		"the same model":                       {func(int) string { return "well" }, nil},
		"one failing model, two upstreams":     {same, []func(*settings.Config){two}},
		"many failing models, two upstreams":   {each, []func(*settings.Config){two}},
		"one failing model, without retries":   {same, []func(*settings.Config){func(c *settings.Config) { c.Retry.Max = 0 }}},
		"many failing models, without retries": {each, []func(*settings.Config){func(c *settings.Config) { c.Retry.Max = 0 }}},
		"many, without retries, two upstreams": {each, []func(*settings.Config){two, func(c *settings.Config) { c.Retry.Max = 0 }}},
		"many failing models, a small budget":  {each, []func(*settings.Config){func(c *settings.Config) { c.Retry.Budget = 0 }}},
	} {
		t.Run(name, func(t *testing.T) {
			var alone, beside neighbour
			synctest.Test(t, func(t *testing.T) { alone = n.run(t, 0) })
			synctest.Test(t, func(t *testing.T) { beside = n.run(t, 20) })
			t.Logf("alone %+v, beside %+v", alone, beside)
			if beside.failed > alone.failed || beside.median > alone.median || beside.longest > alone.longest+2*time.Second {
				t.Errorf("alone %+v, beside %+v", alone, beside)
			}
		})
	}
}
