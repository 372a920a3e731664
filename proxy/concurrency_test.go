package proxy

import (
	"context"
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

// few runs only so many calls of a time at once, and refuses the others.
func few(places int, took time.Duration, refuse script) (script, *atomic.Int64) {
	var inside, most atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, n int) {
		defer inside.Add(-1)
		if now := inside.Add(1); now > int64(places) {
			refuse(w, r, n)
			return
		} else if now > most.Load() {
			most.Store(now)
		}
		time.Sleep(took)
		fine(w, r, n)
	}, &most
}

func TestConcurrency_ARefusedCallIsNoRetryAndNoFailure(t *testing.T) {
	for name, refuse := range map[string]script{
		"overloaded":  answers(503, overBody),
		"named":       answers(429, `{"error":{"message":"Too many concurrent requests","type":"rate_limit_error"}}`),
		"bare":        answers(429, `{"error":{"message":"Too Many Requests"}}`),
		"with a hint": answers(503, overBody, "Retry-After", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				upstream, _ := few(4, 10*time.Second, refuse)
				g := newBubble(t, upstream, realBackoff, func(c *settings.Config) { c.Retry.Max = 0 })
				start, got := time.Now(), g.crowd(24, chatBody)
				for _, one := range got {
					if one.status != http.StatusOK {
						t.Errorf("got %d by %s after %v", one.status, one.source, one.after)
					}
				}
				if took := time.Since(start); took > 66*time.Second {
					t.Errorf("took %v, want at most 66 s", took)
				}
				if refused := g.calls.Load() - 24; refused > 25 {
					t.Errorf("%d refused, want at most 25", refused)
				}
				up := g.status().Upstreams[0]
				if up.Breaker != "closed" || up.Limits[0].Concurrency.Limit != 4 || up.Limits[0].Concurrency.Running != 0 {
					t.Errorf("breaker %s, concurrency %+v", up.Breaker, up.Limits[0].Concurrency)
				}
				if text := g.metricsText(); !strings.Contains(text, `outrigger_concurrency_limit{model="gpt-4o-mini",upstream="openai"} 4`) {
					t.Errorf("the metrics do not tell of the limit:\n%s", text)
				}
			})
		})
	}
}

func TestConcurrency_OffLearnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, _ := few(4, time.Second, answers(503, overBody))
		g := newBubble(t, upstream, func(c *settings.Config) { c.Concurrency, c.Retry.Max = settings.ConcurrencyOff, 0 })
		refused := 0
		for _, one := range g.crowd(24, chatBody) {
			if one.status == http.StatusServiceUnavailable {
				refused++
			}
		}
		if refused == 0 {
			t.Error("nobody was refused")
		}
	})
}

func TestConcurrency_MaxInflightStaysTheUpperBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, most := few(100, time.Second, answers(503, overBody))
		g := newBubble(t, upstream, func(c *settings.Config) { c.MaxInflight = 3 })
		for _, one := range g.crowd(12, chatBody) {
			if one.status != http.StatusOK {
				t.Errorf("got %d", one.status)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d at once, want 3", most.Load())
		}
	})
}

// TestConcurrency_NothingIsStartedThatCannotEndInTime has callers who wait for 5 s, of
// whom twice as many come as can be served: those who are served must be as many as there
// are places for.
func TestConcurrency_NothingIsStartedThatCannotEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, _ := few(10, time.Second, answers(503, overBody))
		g := newBubble(t, upstream, realBackoff)
		var served atomic.Int64
		var all sync.WaitGroup
		for range 600 { // 20 per second for 30 s
			all.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				r := with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "X-Stainless-Read-Timeout: 5").WithContext(ctx)
				resp, err := g.client.Do(r)
				if err != nil {
					t.Errorf("the caller's own timeout came first: %v", err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					served.Add(1)
				}
			})
			time.Sleep(50 * time.Millisecond) // the bubble's clock
		}
		all.Wait()
		if served.Load() < 290 {
			t.Errorf("%d served, want about 330 of 600", served.Load())
		}
	})
}

// TestConcurrency_CallersThatLeaveUnannouncedAreServedWhileTheyCanBe is the same with callers
// who say nothing of their patience.
func TestConcurrency_CallersThatLeaveUnannouncedAreServedWhileTheyCanBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream, _ := few(10, time.Second, answers(429, `{"error":{"message":"Too many concurrent requests"}}`))
		g := newBubble(t, upstream, realBackoff)
		var served atomic.Int64
		var all sync.WaitGroup
		for range 900 { // 15 per second for a minute
			all.Go(func() {
				ctx, leave := context.WithTimeout(context.Background(), 5*time.Second)
				defer leave()
				resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", chatBody).WithContext(ctx))
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode == http.StatusOK {
					served.Add(1)
				}
				resp.Body.Close()
			})
			time.Sleep(time.Second / 15) // the bubble's clock
		}
		all.Wait()
		t.Logf("%d served", served.Load())
		if served.Load() < 480 {
			t.Errorf("%d served of 900, of which about 630 could be", served.Load())
		}
	})
}

// TestBudget_IsWaitedForWhileNothingSucceeds has so few callers that no breaker opens, and
// no budget.
func TestBudget_IsWaitedForWhileNothingSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if time.Since(start) < 20*time.Second {
				apiError(500)(w, r, n)
				return
			}
			fine(w, r, n)
		}, func(c *settings.Config) {
			c.Retry.Base, c.Retry.Cap, c.Retry.Max, c.Retry.Budget = 500*time.Millisecond, 16*time.Second, 7, 0
		})
		for _, one := range g.crowd(8, chatBody) {
			if one.status != http.StatusOK {
				t.Errorf("got %d by %s after %v", one.status, one.source, one.after)
			}
		}
		if n := g.calls.Load(); n > 8+10+10+10+8 {
			t.Errorf("%d calls, want ten retries in 10 s", n)
		}
	})
}
