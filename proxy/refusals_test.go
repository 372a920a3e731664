package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

const bare429 = `{"error":{"message":"Error","type":"rate_limit_error"}}`

// realBackoff undoes the rig's short waits.
func realBackoff(c *settings.Config) { c.Retry.Base, c.Retry.Cap = 500*time.Millisecond, 8*time.Second }

// told is what one caller got, and when.
type told struct {
	status             int
	body, source, wait string
	after              time.Duration
}

// crowd sends n chats at once and returns what each was told.
func (g *rig) crowd(n int, body string, headers ...string) []told {
	all := make([]told, n)
	var done sync.WaitGroup
	start := time.Now()
	for i := range n {
		done.Go(func() {
			r := with(g.request(http.MethodPost, "/v1/chat/completions", body), headers...)
			resp, err := g.client.Do(r)
			if err != nil {
				all[i] = told{body: err.Error(), after: time.Since(start)}
				return
			}
			got, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			all[i] = told{
				status: resp.StatusCode, body: string(got), source: resp.Header.Get("X-Outrigger-Source"),
				wait: resp.Header.Get("Retry-After"), after: time.Since(start),
			}
		})
	}
	done.Wait()
	return all
}

func TestStreak_CallersAreToldOfRefusalsThatNeverClear(t *testing.T) {
	for name, headers := range map[string][]string{
		"bare": nil, "zero": {"Retry-After", "0"}, "a second": {"Retry-After", "1"},
	} {
		for _, callers := range []int{1, 24} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mended atomic.Bool
					refuse := answers(429, bare429, headers...)
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if mended.Load() || r.Header.Get("Authorization") != "Bearer sk-test" {
							fine(w, r, n)
							return
						}
						refuse(w, r, n)
					}, realBackoff)
					for _, got := range g.crowd(callers, chatBody) {
						if got.status != 429 || got.body != bare429 || got.after < 73*time.Second || got.after > 105*time.Second {
							t.Errorf("was told %d %q by %s after %v", got.status, got.body, got.source, got.after)
						}
						if len(headers) > 0 && got.wait != headers[1] {
							t.Errorf("Retry-After is %q", got.wait)
						}
					}
					if n := g.calls.Load(); n > 100 {
						t.Errorf("%d calls", n)
					}
					t.Logf("%d calls for %d callers", g.calls.Load(), callers)

					before := g.calls.Load()
					resp, body := g.chat()
					if resp.StatusCode != 429 || body != bare429 || resp.Header.Get("X-Outrigger-Source") != "tripped" || resp.Header.Get("Retry-After") != "" || g.calls.Load() != before {
						t.Errorf("a new one got %d %v after %d calls", resp.StatusCode, resp.Header, g.calls.Load()-before)
					}
					if !strings.Contains(g.metricsText(), `outrigger_refusal_streaks{upstream="openai"} 1`) {
						t.Error("no metric")
					}
					if s := g.status().Upstreams[0]; len(s.Streaks) != 1 || s.Streaks[0].Status != 429 || s.Streaks[0].Refusals < 5 || len(s.Trips) != 0 {
						t.Errorf("status: %+v, %+v", s.Streaks, s.Trips)
					}
					if resp, _ := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), "Authorization: Bearer sk-other")); resp.StatusCode != 200 {
						t.Errorf("another key got %d", resp.StatusCode)
					}

					time.Sleep(g.proxy.gen().Config.TripCooldown) // the bubble's clock
					before = g.calls.Load()
					for _, got := range g.crowd(10, chatBody) {
						if got.status != 429 || got.after > 10*time.Second {
							t.Errorf("after the cooldown: %d after %v", got.status, got.after)
						}
					}
					if n := g.calls.Load() - before; n != 1 {
						t.Errorf("%d probes in a cooldown", n)
					}

					mended.Store(true)
					time.Sleep(g.proxy.gen().Config.TripCooldown)
					if got := g.crowd(1, chatBody)[0]; got.status != 200 || got.after > 10*time.Second {
						t.Errorf("the good probe: %d after %v", got.status, got.after)
					}
					for _, got := range g.crowd(10, chatBody) {
						if got.status != 200 || got.after > 30*time.Second {
							t.Errorf("after a good probe: %d after %v", got.status, got.after)
						}
					}
					if s := g.status().Upstreams[0]; len(s.Streaks) != 0 {
						t.Errorf("status: %+v", s.Streaks)
					}
				})
			})
		}
	}
}

// TestStreak_ALimitThatOthersUseUpForAMinuteIsNone: bare refusals for a minute, whenever in it they began.
func TestStreak_ALimitThatOthersUseUpForAMinuteIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if time.Since(start) < time.Minute {
				answers(429, bare429)(w, r, n)
				return
			}
			fine(w, r, n)
		}, realBackoff)
		for _, got := range g.crowd(12, chatBody) {
			if got.status != 200 || got.after > 100*time.Second {
				t.Errorf("was told %d by %s after %v", got.status, got.source, got.after)
			}
		}
	})
}

func TestStreak_ACallerWithLessTimeHearsTheRefusalAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(429, bare429), realBackoff)
		for _, got := range g.crowd(24, chatBody, "X-Stainless-Read-Timeout: 30") {
			if got.status != 429 || got.body != bare429 || got.after > 31*time.Second {
				t.Errorf("was told %d %q after %v", got.status, got.body, got.after)
			}
		}
	})
}

// TestStreak_LongCallsThatRunShowThatItIsNone: four calls of three minutes are all that is allowed
// at once, and the fifth is refused without a word until one of them ends.
func TestStreak_LongCallsThatRunShowThatItIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			if running.Add(1) > 4 {
				running.Add(-1)
				answers(429, bare429)(w, r, n)
				return
			}
			defer running.Add(-1)
			time.Sleep(3 * time.Minute) // the bubble's clock
			fine(w, r, n)
		}, realBackoff)
		for _, got := range g.crowd(6, chatBody) {
			if got.status != 200 {
				t.Errorf("was told %d by %s after %v", got.status, got.source, got.after)
			}
		}
	})
}

func TestStreak_ANamedWaitThatPassesIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if time.Since(start) < 4*time.Minute {
				answers(429, bare429, "Retry-After", "40")(w, r, n)
				return
			}
			fine(w, r, n)
		}, realBackoff)
		for _, got := range g.crowd(3, chatBody) {
			if got.status != 200 {
				t.Errorf("was told %d by %s after %v", got.status, got.source, got.after)
			}
		}
	})
}

func TestANamedDayEndsTheRequestAfterOneCallAndSlowsNobody(t *testing.T) {
	const day = `{"error":{"code":"429","message":"Requests have exceeded token rate limit of your tier. Please retry after 86400 seconds."}}`
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			body, _ := io.ReadAll(r.Body)
			if bytes.Contains(body, []byte("large")) {
				answers(429, day, "Retry-After", "86400")(w, r, n)
				return
			}
			fine(w, r, n)
		}, realBackoff)
		for range 20 {
			g.chat()
		}
		before := g.calls.Load()
		got := g.crowd(1, strings.Replace(chatBody, `"hi"`, `"large"`, 1))[0]
		if got.status != 429 || got.body != day || got.after > 100*time.Millisecond || g.calls.Load() != before+1 {
			t.Errorf("was told %d after %v and %d calls", got.status, got.after, g.calls.Load()-before)
		}
		for _, got := range g.crowd(10, chatBody) {
			if got.status != 200 || got.after > time.Second {
				t.Errorf("another was told %d after %v", got.status, got.after)
			}
		}
	})
}

func TestStreak_ADayThatIsNamedToEverybodyIsRemembered(t *testing.T) {
	const day = `{"error":{"code":"429","message":"Please retry after 86400 seconds."}}`
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(429, day, "Retry-After", "86400"), realBackoff)
		g.crowd(6, chatBody)
		for _, got := range g.crowd(6, chatBody) {
			if got.status != 429 || got.after > 80*time.Second {
				t.Errorf("was told %d by %s after %v", got.status, got.source, got.after)
			}
		}
		before := g.calls.Load()
		if got := g.crowd(1, chatBody)[0]; got.source != "tripped" || got.after > 0 || g.calls.Load() != before {
			t.Errorf("a new one was told %d by %s after %v", got.status, got.source, got.after)
		}
	})
}

func TestAnEntitlementIsPassedOnAndSlowsNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		body    string
		headers []string
		callers int
		calls   int64
		slowest time.Duration
	}{
		"known":            {`{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."},"request_id":"req_1"}`, nil, 3, 3, 200 * time.Millisecond},
		"unknown":          {bare429, nil, 1, 12, 200 * time.Millisecond},
		"unknown, several": {bare429, nil, 3, 36, 600 * time.Millisecond},
		"in strange words": {`{"detail":"Windows over 200k ride on another carriage."}`, nil, 1, 12, 200 * time.Millisecond},
		"without a word":   {"", nil, 1, 12, 200 * time.Millisecond},
		"with a wait":      {bare429, []string{"Retry-After", "2"}, 1, 12, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var long atomic.Int64
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					body, _ := io.ReadAll(r.Body)
					if bytes.Contains(body, []byte("long")) {
						long.Add(1)
						answers(429, tt.body, tt.headers...)(w, r, n)
						return
					}
					time.Sleep(100 * time.Millisecond) // the bubble's clock
					fine(w, r, n)
				}, realBackoff)
				ctx := make(chan struct{})
				slowest := make(chan time.Duration)
				go func() {
					var most time.Duration
					for {
						select {
						case <-ctx:
							slowest <- most
							return
						default:
						}
						if got := g.crowd(1, chatBody)[0]; got.status == 200 {
							most = max(most, got.after)
						} else {
							most = time.Hour
						}
						time.Sleep(200 * time.Millisecond)
					}
				}()
				time.Sleep(5 * time.Second)
				for _, got := range g.crowd(tt.callers, strings.Replace(chatBody, `"hi"`, `"long"`, 1)) {
					if got.status != 429 || got.body != tt.body || got.source != "upstream" || got.after > 2*time.Minute {
						t.Errorf("was told %d by %s after %v", got.status, got.source, got.after)
					}
					t.Logf("told after %v", got.after)
				}
				if n := long.Load(); n > tt.calls {
					t.Errorf("%d calls", n)
				}
				time.Sleep(5 * time.Second)
				close(ctx)
				if most := <-slowest; most > tt.slowest {
					t.Errorf("another of the key took %v", most)
				} else {
					t.Logf("the slowest other took %v", most)
				}
			})
		})
	}
}
