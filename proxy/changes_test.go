package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// changes returns the lines about changes of state of one kind, once all are written: each as
// its level and message, and the values of some fields.
func (g *rig) changes(kind string, fields ...string) []string {
	g.t.Helper()
	time.Sleep(time.Minute) // the bubble's clock: what was held back is told by then
	var all []string
	for line := range strings.Lines(g.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			g.t.Fatal(err)
		}
		if entry["change"] != kind {
			continue
		}
		text := fmt.Sprint(entry["level"], " ", entry["msg"])
		for _, name := range fields {
			text += fmt.Sprint(", ", entry[name])
		}
		all = append(all, text)
	}
	return all
}

func (g *rig) wantChanges(kind string, fields []string, want ...string) {
	g.t.Helper()
	got := g.changes(kind, fields...)
	if len(got) != len(want) {
		g.t.Errorf("got %d lines:\n%s\nwant\n%s", len(got), strings.Join(got, "\n"), strings.Join(want, "\n"))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			g.t.Errorf("line %d:\n%s\nwant\n%s", i+1, got[i], want[i])
		}
	}
}

func TestLog_TellsOfBreakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if mended.Load() || strings.HasSuffix(r.URL.Path, "/models") {
				fine(w, r, n)
				return
			}
			answers(500, `{"error":{"message":"The server had an error","type":"server_error"}}`)(w, r, n)
		}, func(c *settings.Config) {
			c.Retry.Max, c.Breaker.Consecutive, c.Breaker.Wait = 0, 5, 0
			c.Limit.Learn = false
		})
		for range 5 {
			g.chat()
			g.do(g.request("GET", "/v1/models", "")) // so that the upstream as a whole is well
		}
		mended.Store(true)
		time.Sleep(15 * time.Second) // the bubble's clock: debug's half-open is a line of its own
		g.chat()
		g.wantChanges("breaker", []string{"upstream", "scope", "cause", "outcome"},
			"WARN breaker opened, openai, chat.completions gpt-4o-mini, 5 failures in a row, failed",
			"DEBUG breaker half-open, openai, chat.completions gpt-4o-mini, it is time for a probe, <nil>",
			"INFO breaker closed, openai, chat.completions gpt-4o-mini, a probe succeeded, <nil>")
		for range 5 {
			g.proxy.gen().Upstreams[0].Gate.Fail()
		}
		if got := g.changes("breaker", "scope", "cause"); got[len(got)-1] != "WARN breaker opened, all, 5 failures in a row" {
			t.Errorf("of the upstream: %v", got)
		}
	})
}

func TestLog_TellsOfCachedRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if mended.Load() {
				fine(w, r, n)
				return
			}
			answers(401, deadKey)(w, r, n)
		})
		for range 3 {
			g.chat()
		}
		time.Sleep(61 * time.Second)
		g.chat() // the probe, which is refused too: no news
		time.Sleep(61 * time.Second)
		mended.Store(true)
		g.chat()
		g.wantChanges("refusal", []string{"upstream", "outcome", "status", "error_code", "cause"},
			"WARN refusal remembered: answering from memory, openai, credential, 401, invalid_api_key, <nil>",
			"INFO refusal forgotten, openai, credential, 401, invalid_api_key, a probe was not refused")
		mended.Store(false)
		g.chat()
		time.Sleep(10 * time.Minute)
		if got := g.changes("refusal", "cause"); len(got) != 4 || got[3] != "INFO refusal forgotten, nobody asks for it, or others need its room" {
			t.Errorf("what nobody asks for: %v", got)
		}
		if strings.Contains(g.log.String(), "sk-") {
			t.Error("the log holds a key")
		}
	})
}

func TestLog_TellsOfLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limit atomic.Value
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("X-Ratelimit-Limit-Tokens", limit.Load().(string))
			w.Header().Set("X-Ratelimit-Remaining-Tokens", "50000")
			fine(w, r, n)
		})
		for _, l := range []string{"60000", "60000", "62000", "90000"} {
			limit.Store(l)
			g.chat()
		}
		g.wantChanges("limit", []string{"upstream", "model", "dimension", "limit", "window_seconds", "source", "before"},
			"INFO limit learned, openai, gpt-4o-mini, tokens, 60000, 60, header, <nil>",
			"INFO limit changed, openai, gpt-4o-mini, tokens, 90000, 60, header, 60000")
		g.reload(func(c *settings.Config) { c.Limit.Learn = false })
		g.chat()
		if got := g.changes("limit", "before"); len(got) != 3 || got[2] != "INFO limit forgotten, 90000" {
			t.Errorf("got %v", got)
		}
	})
}

func TestLog_TellsOfConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, _ := few(4, 10*time.Second, answers(429, `{"error":{"message":"Too many concurrent requests","type":"rate_limit_error"}}`))
		g := newBubble(t, upstream, realBackoff, func(c *settings.Config) { c.Retry.Max = 0 })
		g.crowd(12, chatBody)
		got := g.changes("concurrency", "upstream", "model", "limit", "source", "before")
		if len(got) == 0 || got[0] != "INFO concurrency limit learned, openai, gpt-4o-mini, 4, refusals that name concurrency, <nil>" {
			t.Errorf("got %v", got)
		}
		for range 20 {
			time.Sleep(time.Minute)
			g.chat()
		}
		if got := g.changes("concurrency"); got[len(got)-1] != "INFO concurrency limit forgotten" {
			t.Errorf("when nothing was refused for long: %v", got)
		}
	})
}

func TestLog_TellsOfTheRetryBudget(t *testing.T) {
	for name, calls := range map[string]bool{"and calls succeed": true, "and nobody calls": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mended atomic.Bool
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if mended.Load() {
						fine(w, r, n)
						return
					}
					answers(500, `{"error":{"message":"no","type":"server_error"}}`)(w, r, n)
				}, func(c *settings.Config) {
					c.Breaker.Consecutive, c.Breaker.Wait, c.Retry.Budget = 0, 0, 0
				})
				g.crowd(20, chatBody)
				mended.Store(true)
				if calls {
					g.crowd(5, `{"model":"gpt-4o-mini","messages":[]}`)
				}
				got := g.changes("retry_budget", "upstream")
				if len(got) < 2 || got[0] != "WARN retry budget spent: failed attempts are not repeated, or wait, openai" || got[len(got)-1] != "INFO retry budget refilled, openai" {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

// A change is told under the name that the upstream has now.
func TestLog_TellsOfARenamedUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(401, deadKey), func(c *settings.Config) { c.Upstreams[0].APIKey = values.Secret{} })
		g.reload(func(c *settings.Config) { c.Upstreams[0].Name = "renamed" })
		g.chat()
		g.wantChanges("refusal", []string{"upstream"}, "WARN refusal remembered: answering from memory, renamed")
	})
}

func TestLog_TellsOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		there := g.proxy.calls.Store
		g.proxy.calls.Store = absent{there}
		g.ask(g.keyed("k", "/v1/chat/completions", chatBody))
		g.proxy.calls.Store = there
		g.ask(g.keyed("other", "/v1/chat/completions", chatBody))
		g.wantChanges("store", nil, "WARN the idempotency store does not answer: calls with a key are not stored, and creates refused",
			"INFO the idempotency store answers again")
	})
}
