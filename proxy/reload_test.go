package proxy

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy/priority"
	"outrigger/proxy/settings"
)

// edited returns the configuration that New was given with a change.
func (g *rig) edited(edit func(*settings.Config)) settings.Config {
	c := g.proxy.given
	c.Upstreams = append([]settings.Upstream(nil), c.Upstreams...)
	edit(&c)
	return c
}

func (g *rig) reload(edit func(*settings.Config)) {
	g.t.Helper()
	if err := g.proxy.Reload(g.edited(edit)); err != nil {
		g.t.Fatal(err)
	}
}

func TestReload_RefusesWhatCannotChange(t *testing.T) {
	g := newRig(t, fine)
	before := g.proxy.gen()
	err := g.proxy.Reload(g.edited(func(c *settings.Config) {
		c.Bodies.MemoryMax, c.Rejoin, c.Limit.RPM = 1<<20, time.Minute, 60
	}))
	if !errors.Is(err, ErrFixed) || !strings.HasSuffix(err.Error(), ": OUTRIGGER_MEMORY_MAX, OUTRIGGER_REJOIN") {
		t.Errorf("got %v", err)
	}
	err = g.proxy.Reload(g.edited(func(c *settings.Config) {
		c.Fleet = settings.Fleet{URL: values.NewSecret("redis://localhost"), Fail: settings.FleetFailClosed}
	}))
	if !errors.Is(err, ErrFixed) || !strings.HasSuffix(err.Error(), ": OUTRIGGER_REDIS_URL, OUTRIGGER_FLEET_FAIL") {
		t.Errorf("a fleet: %v", err)
	}
	if err := g.proxy.Reload(g.edited(func(c *settings.Config) { c.Upstreams = nil })); !errors.Is(err, ErrNoUpstream) {
		t.Errorf("without an upstream: %v", err)
	}
	if g.proxy.gen() != before {
		t.Error("another generation is in force")
	}
}

func TestReload_ChangesWhoMayCallAndHowUrgently(t *testing.T) {
	g := newRig(t, fine)
	g.reload(func(c *settings.Config) {
		c.Callers.Tokens = []values.Secret{values.NewSecret("batch:token-b"), values.NewSecret("token-a")}
		c.Callers.TokenPriorities = []settings.TokenPriority{{Name: "batch", Priority: priority.Low}}
		c.Callers.Priority = priority.High
	})
	for token, want := range map[string]priority.Priority{"token-a": priority.High, "token-b": priority.Low} {
		r := with(g.plain(), "X-Outrigger-Token: "+token)
		if got, err := g.proxy.gen().callers.Caller(r); err != nil || got.Priority != want {
			t.Errorf("%s: %v, %v", token, got.Priority, err)
		}
		if resp, _ := g.do(r); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", token, resp.StatusCode)
		}
	}
	if resp, _ := g.chat(); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
}

// A change of any setting that bounds what is learned leaves the rest of it.
func TestReload_KeepsWhatOtherSettingsBound(t *testing.T) {
	for name, edit := range map[string]func(*settings.Config){
		"a rate":             func(c *settings.Config) { c.Upstreams[0].RPM = 6000 },
		"calls in flight":    func(c *settings.Config) { c.MaxInflight = 7 },
		"concurrency off":    func(c *settings.Config) { c.Concurrency = settings.ConcurrencyOff },
		"the breaker":        func(c *settings.Config) { c.Breaker.Open, c.Breaker.Window = time.Hour, time.Hour },
		"the cooldown":       func(c *settings.Config) { c.TripCooldown = time.Hour },
		"the budget":         func(c *settings.Config) { c.Retry.Budget = 0.5 },
		"the queue":          func(c *settings.Config) { c.Limit.QueueMax = 5 },
		"another upstream":   func(c *settings.Config) { c.Upstreams = append(c.Upstreams, at(t, "second", "http://second.test")) },
		"the key":            func(c *settings.Config) { c.Upstreams[0].APIKey = values.NewSecret("sk-rotated") },
		"the timeout":        func(c *settings.Config) { c.Timeouts.Total = time.Minute },
		"time to connect":    func(c *settings.Config) { c.Timeouts.Connect = time.Minute },
		"the upstream named": func(c *settings.Config) { c.Upstreams[0].Name = "renamed" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dead := answers(401, deadKey)
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					switch {
					case r.Header.Get("Authorization") == "Bearer sk-dead":
						dead(w, r, n)
					case strings.HasPrefix(r.URL.Path, "/v1/embeddings"):
						w.WriteHeader(http.StatusInternalServerError)
					default:
						w.Header().Set("X-Ratelimit-Limit-Tokens", "60000")
						w.Header().Set("X-Ratelimit-Remaining-Tokens", "59000")
						w.Header().Set("X-Ratelimit-Reset-Tokens", "1s")
						fine(w, r, n)
					}
				}, func(c *settings.Config) { c.Upstreams[0].APIKey = values.Secret{} })
				g.chat()
				r := g.request("POST", "/v1/chat/completions", chatBody)
				r.Header.Set("Authorization", "Bearer sk-dead")
				g.do(r)
				for range 60 {
					g.proxy.gen().Upstreams[0].Gate.Fail()
				}
				before := g.status().Upstreams[0]
				g.reload(edit)
				after := g.status().Upstreams[0]
				if before.Breaker != "open" || after.Breaker != "open" {
					t.Errorf("the breaker was %s and is %s", before.Breaker, after.Breaker)
				}
				if len(before.Trips) != 1 || len(after.Trips) != 1 || before.Trips[0] != after.Trips[0] {
					t.Errorf("cached refusals were %+v and are %+v", before.Trips, after.Trips)
				}
				knows := false
				for _, l := range after.Limits {
					for _, b := range l.State.Buckets {
						knows = knows || b.Dimension == "tokens" && b.Limit == 60000
					}
				}
				if !knows {
					t.Errorf("limits were %+v and are %+v", before.Limits, after.Limits)
				}
			})
		})
	}
}

// Where objects live is known after an upstream was added in front, and one renamed.
func TestReload_ObjectsStayWhereTheyLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newMakers(t, nil)
		s.call("POST", "/@second/v1/files", "{}")
		s.reload(func(c *settings.Config) {
			c.Upstreams[1].Name = "other"
			c.Upstreams = append([]settings.Upstream{at(t, "third", "http://third.test")}, c.Upstreams...)
			c.Upstreams[2].APIKey = values.NewSecret("sk-rotated")
			c.Upstreams[2].Name = "second"
		})
		if got := s.call("GET", "/v1/files/file-second", ""); got.Upstream != "second" {
			t.Errorf("answered by %s", got.Upstream)
		}
		s.reload(func(c *settings.Config) { c.Upstreams = c.Upstreams[:2] })
		if got := s.call("GET", "/v1/files/file-second", ""); got.Upstream != "third" {
			t.Errorf("when its upstream is gone: %s", got.Upstream)
		}
	})
}

// A stream that began before goes on, and its upstream's connections and timers are there
// until it has ended, also where two reloads have taken the upstream away.
func TestReload_AStreamKeepsAnUpstreamThatIsGone(t *testing.T) {
	hold := make(chan struct{})
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(`data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n"))
		w.(http.Flusher).Flush()
		<-hold
		_, _ = w.Write([]byte(`data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + doneEvent))
	})
	resp, err := g.client.Do(g.streaming())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fine(w, r, 1) }))
	defer other.Close()
	first := g.proxy.gen()
	for range 2 {
		g.reload(func(c *settings.Config) {
			c.Upstreams[0] = at(t, "other", other.URL)
			c.Upstreams[0].RPM += 6000
		})
		if resp, _ := g.chat(); resp.Header.Get("X-Outrigger-Upstream") != "other" {
			t.Errorf("answered by %q", resp.Header.Get("X-Outrigger-Upstream"))
		}
	}
	if first.over.Load() || first.users.Load() != 1 {
		t.Errorf("%d keep the first generation", first.users.Load())
	}
	close(hold)
	if rest, err := io.ReadAll(resp.Body); err != nil || !strings.HasSuffix(string(rest), doneEvent) {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	for range 1000 {
		if first.over.Load() {
			return
		}
		time.Sleep(time.Millisecond) // the handler ends after its answer
	}
	t.Error("the first generation is not closed")
}

// One who waits at a breaker is let out in time, although generations come and go meanwhile.
func TestReload_WhoWaitsAtABreakerIsLetOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n <= 5 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			fine(w, r, n)
		}, func(c *settings.Config) {
			c.Retry.Max, c.Limit.Learn = 0, false
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = 5, 5*time.Second, 30*time.Second
		})
		for range 5 {
			g.chat()
		}
		start, took := time.Now(), make(chan time.Duration, 1)
		go func() {
			g.chat()
			took <- time.Since(start)
		}()
		for range 3 {
			time.Sleep(time.Second)
			g.reload(func(c *settings.Config) { c.Upstreams[0].Name += "x" })
		}
		if got := <-took; got < 5*time.Second || got > 6*time.Second {
			t.Errorf("it waited for %v", got)
		}
	})
}
