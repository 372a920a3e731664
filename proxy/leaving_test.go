package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func TestACallerThatLeavesStopsEverything(t *testing.T) {
	refused := answers(429, `{"error":{"message":"Rate limit reached. Please try again in 30s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, "Retry-After", "30")
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		prepare  func(g *rig) // what others do first
		calls    int64        // upstream, when the caller has left
	}{
		"in line":                        {fine, func(c *settings.Config) { c.Limit.RPM = 2 }, fillLine, -1},
		"in line again, after a refusal": {refused, nil, nil, 1},
		"before a slot": {silence, func(c *settings.Config) { c.MaxInflight = 1 }, func(g *rig) {
			g.background(g.request("POST", "/v1/chat/completions", chatBody))
			synctest.Wait()
		}, 1},
		"at an open breaker": {apiError(500), func(c *settings.Config) {
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait, c.Retry.Max = 1, 10*time.Minute, 10*time.Minute, 0
		}, func(g *rig) { g.chat() }, 1},
		"in a backoff":  {apiError(503), func(c *settings.Config) { c.Retry.Base, c.Retry.Cap = time.Hour, time.Hour }, nil, 1},
		"in an attempt": {silence, nil, nil, 1},
		"in a held JSON answer": {func(w http.ResponseWriter, r *http.Request, n int) {
			trickle(w, "application/json", `{"a":`)
			silence(w, r, n)
		}, nil, nil, 1},
		"in a held error": {func(w http.ResponseWriter, r *http.Request, n int) {
			w.WriteHeader(400)
			trickle(w, "", `{"a":`)
			silence(w, r, n)
		}, nil, nil, 1},
		"in a held stream": {func(w http.ResponseWriter, r *http.Request, n int) {
			trickle(w, "text/event-stream", ": ping\n\n")
			silence(w, r, n)
		}, nil, nil, 1},
		"in a stream": {func(w http.ResponseWriter, r *http.Request, n int) {
			trickle(w, "text/event-stream", delta("a"))
			silence(w, r, n)
		}, nil, nil, 1},
		"in an answer": {func(w http.ResponseWriter, r *http.Request, n int) { trickle(w, "audio/mpeg", "abc"); silence(w, r, n) }, nil, nil, 1},
	}
	for name, tt := range tests {
		for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
			t.Run(name+"/"+version, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ended := 0 // calls that the upstream has seen the end of
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if r.URL.Path == goodPath {
							good(w, r, n)
							return
						}
						defer func() { ended++ }()
						tt.upstream(w, r, n)
					}, func(c *settings.Config) {
						if tt.edit != nil {
							tt.edit(c)
						}
					})
					if tt.prepare != nil {
						tt.prepare(g)
					}
					up := g.proxy.gen().Upstreams[0]
					before, calls, inflight := up.Gate.Breaker.Snapshot(), g.calls.Load(), g.inflight()
					client := g.client
					if h2 {
						client = g.h2()
					}
					ctx, leave := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() {
						r := g.request("POST", "/v1/chat/completions", chatBody).WithContext(ctx)
						r.Header.Set("X-Client", "leaves")
						resp, err := client.Do(r)
						if err == nil {
							_, err = io.Copy(io.Discard, resp.Body)
							resp.Body.Close()
						}
						done <- err
					}()
					synctest.Wait()
					if g.inflight() != inflight+1 {
						t.Fatalf("%d requests are in flight, want %d", g.inflight(), inflight+1)
					}
					leave()
					if err := <-done; err == nil {
						t.Error("the caller that left got an answer")
					}
					synctest.Wait()
					if n := g.inflight(); n != inflight {
						t.Errorf("%d requests are in flight, want %d", n, inflight)
					}
					if tt.prepare == nil && ended != int(tt.calls) {
						t.Errorf("the upstream saw %d calls end, want %d", ended, tt.calls)
					}
					if got := up.Gate.Breaker.Snapshot(); got.Failures > before.Failures+int(max(tt.calls, 0)) || name != "in a backoff" && got.Failures != before.Failures {
						t.Errorf("the breaker went from %+v to %+v", before, got)
					}
					last := g.log.String()
					last = last[strings.LastIndex(strings.TrimSpace(last), "\n")+1:]
					if !strings.Contains(last, `"outcome":"canceled"`) {
						t.Errorf("the log says %s", last)
					}
					if !strings.Contains(g.metricsText(), `outcome="canceled"`) {
						t.Error("no request was counted as canceled")
					}
					if tt.calls >= 0 && g.calls.Load() != max(calls, tt.calls) {
						t.Errorf("%d calls, want %d", g.calls.Load(), tt.calls)
					}
					calls = g.calls.Load()
					time.Sleep(5 * time.Minute) // the bubble's clock
					if after := g.calls.Load(); tt.calls >= 0 && after != calls {
						t.Errorf("%d further calls were made", after-calls)
					}
					depth := 0
					for _, l := range g.status().Upstreams[0].Limits {
						depth += l.State.Queue
					}
					if depth != 0 || up.Gate.Depth() != 0 || up.Slots.Status(time.Now()).Queue != 0 {
						t.Errorf("%d wait in line, %d at the breaker, %d before slots", depth, up.Gate.Depth(), up.Slots.Status(time.Now()).Queue)
					}
					if memory, disk := g.held(); memory > 1024 || disk != 0 {
						t.Errorf("%d bytes of memory and %d of disk are held", memory, disk)
					}
				})
			})
		}
	}
}

// trickle sends the beginning of an answer.
func trickle(w http.ResponseWriter, kind, text string) {
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
}

func TestACallerThatLeavesAfterTheEndHasSucceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, streamOf(delta("a")+doneEvent, func() {}))
		resp, err := g.client.Do(g.request("POST", "/v1/chat/completions", streamBody))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, int64(len(delta("a")+doneEvent)))
		resp.Body.Close()
		synctest.Wait()
		if log := g.log.String(); !strings.Contains(log, `"outcome":"completed"`) {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestTheCallersDeadlineIsKept(t *testing.T) {
	tests := map[string]struct {
		headers   []string
		total     time.Duration
		after     time.Duration
		announced bool
	}{
		"read timeout of Python":        {[]string{"X-Stainless-Read-Timeout: 30"}, 0, 29 * time.Second, true},
		"a fraction":                    {[]string{"X-Stainless-Read-Timeout: 2.5"}, 0, 2375 * time.Millisecond, true},
		"timeout of Node and Go":        {[]string{"X-Stainless-Timeout: 5"}, 0, 4750 * time.Millisecond, true},
		"the smaller of both":           {[]string{"X-Stainless-Timeout: 50", "X-Stainless-Read-Timeout: 20"}, 0, 19 * time.Second, true},
		"Python's default":              {[]string{"X-Stainless-Read-Timeout: 600"}, 0, 599 * time.Second, true},
		"more than the operator's":      {[]string{"X-Stainless-Read-Timeout: 600"}, time.Minute, 59 * time.Second, false},
		"nonsense":                      {[]string{"X-Stainless-Read-Timeout: soon", "X-Stainless-Timeout: -1"}, time.Minute, 59 * time.Second, false},
		"endless":                       {[]string{"X-Stainless-Timeout: Inf"}, time.Minute, 59 * time.Second, false},
		"none":                          {nil, 0, 599 * time.Second, false},
		".NET, which does not announce": {[]string{"User-Agent: OpenAI/2.1.0 (.NET 8.0.10; Linux)"}, 0, 99 * time.Second, false},
		"Node's fetch":                  {[]string{"User-Agent: OpenAI/JS 6.1.0", "X-Stainless-Runtime: node"}, 0, 299 * time.Second, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, silence, func(c *settings.Config) {
					if tt.total > 0 {
						c.Timeouts.Total = tt.total
					}
				})
				start := time.Now()
				resp, body := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), tt.headers...))
				if took := time.Since(start); took != tt.after {
					t.Errorf("answered after %s, want %s", took, tt.after)
				}
				want := "false"
				if tt.announced {
					want = ""
				}
				if resp.StatusCode != 504 || errorCode(t, body) != "upstream_timeout" || resp.Header.Get("X-Should-Retry") != want {
					t.Errorf("got %d %s, x-should-retry %q", resp.StatusCode, body, resp.Header.Get("X-Should-Retry"))
				}
			})
		})
	}
}

func TestNoWaitOutlastsTheDeadline(t *testing.T) {
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		status   int
		most     time.Duration
	}{
		"retries without end": {apiError(500), func(c *settings.Config) {
			c.Retry.Max, c.Retry.Budget, c.Retry.Base, c.Retry.Cap = 100, 100, time.Second, 8*time.Second
		}, 500, 9 * time.Second},
		"a hint beyond it":      {answers(503, "{}", "Retry-After", "20"), nil, 503, 0},
		"a hint within it":      {answers(503, "{}", "Retry-After", "4"), nil, 503, 9 * time.Second},
		"a rate limit":          {answers(429, `{"error":{"message":"slow","code":"rate_limit_exceeded"}}`, "Retry-After", "4"), nil, 429, 9 * time.Second},
		"a rate limit beyond":   {answers(429, `{"error":{"message":"slow","code":"rate_limit_exceeded"}}`, "Retry-After", "20"), nil, 429, 0},
		"a turn in line beyond": {apiError(503), func(c *settings.Config) { c.Limit.RPM, c.Limit.Learn = 2, false }, 503, time.Second},
		"a breaker": {apiError(500), func(c *settings.Config) {
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = 1, time.Hour, time.Hour
		}, 500, 9 * time.Second},
		"an upstream that hangs": {silence, nil, 504, 9 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				start := time.Now()
				resp, _ := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 10"))
				if took := time.Since(start); took > tt.most {
					t.Errorf("answered after %s, want at most %s", took, tt.most)
				}
				if got := fmt.Sprint(resp.StatusCode, resp.Header.Get("X-Should-Retry")); got != fmt.Sprint(tt.status, "") {
					t.Errorf("got status and x-should-retry %q, want %d alone", got, tt.status)
				}
			})
		})
	}
}

// Permits that pile up while slots are busy would all be used when these come free.
func TestAPermitIsNotKeptWhileASlotIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, silence, func(c *settings.Config) { c.Limit.RPM, c.MaxInflight = 600, 1 })
		g.background(g.request("POST", "/v1/chat/completions", chatBody)) // takes the only slot
		synctest.Wait()
		time.Sleep(time.Minute) // the bubble's clock: by now the limit lets several pass at once
		remaining := func() float64 {
			return g.status().Upstreams[0].Limits[0].State.Buckets[0].Remaining
		}
		before := remaining()
		for range 30 {
			g.background(g.request("POST", "/v1/chat/completions", chatBody))
			synctest.Wait()
		}
		if after := remaining(); before < 1 || after != before {
			t.Errorf("%v remained of the limit before anyone waited for the slot, %v with 30 waiting", before, after)
		}
	})
}
