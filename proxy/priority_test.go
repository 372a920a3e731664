package proxy

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy/priority"
	"outrigger/proxy/settings"
)

// TestPriority_UsersPassAQueueOfOfflineWork: 200 low ones wait at a limit of ten a second, and
// then 20 high ones come.
func TestPriority_UsersPassAQueueOfOfflineWork(t *testing.T) {
	for name, limited := range map[string]func(*settings.Config){
		"a rate limit": func(c *settings.Config) { c.Limit.RPM = 600 },
		"slots":        func(c *settings.Config) { c.MaxInflight = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					for name := range r.Header {
						if strings.HasPrefix(name, "X-Outrigger-") {
							t.Errorf("the upstream got %s", name)
						}
					}
					time.Sleep(100 * time.Millisecond)
					_, _ = io.WriteString(w, `{"object":"chat.completion"}`)
				}, limited, func(c *settings.Config) {
					c.Callers.Tokens = []values.Secret{values.NewSecret("web:one"), values.NewSecret("batch:two")}
					c.Callers.TokenPriorities = []settings.TokenPriority{{Name: "batch", Priority: priority.Low}}
				})
				var mu sync.Mutex
				done := map[string][]time.Duration{}
				var all sync.WaitGroup
				send := func(n int, headers ...string) {
					for range n {
						all.Go(func() {
							resp, _ := g.do(with(g.plain(), headers...))
							mu.Lock()
							defer mu.Unlock()
							if resp.StatusCode != http.StatusOK {
								t.Errorf("%s: status %d", headers[0], resp.StatusCode)
							}
							done[headers[0]] = append(done[headers[0]], time.Duration(time.Now().UnixNano()))
						})
						synctest.Wait()
					}
				}
				const low, high = "X-Outrigger-Token: two", "X-Outrigger-Token: one"
				send(215, low, "X-Outrigger-Priority: high") // more than its token may ask for
				for range 1000 {
					if strings.Contains(g.metricsText(), `outrigger_queue_depth{priority="low",upstream="openai"} 200`) {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				start := time.Duration(time.Now().UnixNano())
				send(20, high, "X-Outrigger-Priority: high")
				if got := g.metricsText(); !strings.Contains(got, `outrigger_queue_depth{priority="high",upstream="openai"} 20`) ||
					!strings.Contains(got, `outrigger_queue_depth{priority="low",upstream="openai"} 200`) {
					t.Error("the metric does not show 20 high ones and 200 low ones")
				}
				text, _ := json.Marshal(g.status())
				if !strings.Contains(string(text), `"queue_by_priority":{"high":20,"normal":0,"low":200}`) {
					t.Errorf("the status does not show them: %s", text)
				}
				all.Wait()
				last, answered := slices.Max(done[high]), func(until time.Duration) int {
					return len(slices.DeleteFunc(slices.Clone(done[low]), func(d time.Duration) bool { return d > until }))
				}
				if took := last - start; took > 2600*time.Millisecond { // and the answer
					t.Errorf("the high ones took %v, want the time that 25 need", took)
				}
				if meanwhile := answered(last) - answered(start); meanwhile < 2 || len(done[low]) != 215 {
					t.Errorf("%d low ones were answered meanwhile, and %d in all", meanwhile, len(done[low]))
				}
				g.settle()
				for _, want := range []string{`"caller":"batch","priority":"low"`, `"caller":"web","priority":"high"`} {
					if !strings.Contains(g.log.String(), want) {
						t.Errorf("no line of the log has %s", want)
					}
				}
			})
		})
	}
}

func TestPriority_CallersOfOneKeyTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			_, _ = io.WriteString(w, `{"object":"chat.completion"}`)
		},
			func(c *settings.Config) {
				c.Limit.RPM, c.Upstreams[0].APIKey = 60, values.NewSecret("sk-of-all")
			})
		start, all := time.Now(), sync.WaitGroup{}
		for range 60 {
			all.Go(func() { g.drop(with(g.plain(), "Authorization: Bearer sk-one")) })
			synctest.Wait()
		}
		g.drop(with(g.plain(), "Authorization: Bearer sk-two"))
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("the second caller waited for %v behind the first's 60, want its turn", took)
		}
		all.Wait()
	})
}

func TestPriority_ABadOneIsRejected(t *testing.T) {
	g := newRig(t, fine)
	resp, body := g.do(with(g.plain(), "X-Outrigger-Priority: urgent"))
	if resp.StatusCode != http.StatusBadRequest || errorCode(t, body) != "bad_request" || !strings.Contains(body, "high, normal or low") || g.calls.Load() > 0 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if line := lastRequest(t, g); line["priority"] != nil {
		t.Errorf("a normal one is logged as %v", line["priority"])
	}
}
