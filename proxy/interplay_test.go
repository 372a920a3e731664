package proxy

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/admission"
	"outrigger/proxy/gate"
	"outrigger/proxy/settings"
)

// plainRetry is the default patience.
func plainRetry(c *settings.Config) { c.Retry = DefaultConfig().Retry }

// hall is an upstream that runs so many calls at once, and answers 503 to those above.
type hall struct {
	places, inside atomic.Int64
	took           time.Duration
}

func (m *hall) serve(w http.ResponseWriter, r *http.Request, n int) {
	_, _ = io.Copy(io.Discard, r.Body)
	if m.inside.Load() >= m.places.Load() {
		answers(503, overBody)(w, r, n)
		return
	}
	m.inside.Add(1)
	defer m.inside.Add(-1)
	select {
	case <-time.After(m.took):
	case <-r.Context().Done():
	}
	fine(w, r, n)
}

func TestConcurrency_GrowthIsFoundWhileNoCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &hall{took: 8 * time.Minute}
		m.places.Store(4)
		g := newBubble(t, m.serve, realBackoff, func(c *settings.Config) {
			c.Timeouts.Total, c.Timeouts.TotalSet, c.Timeouts.StreamIdle = time.Hour, true, 0
		})
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() { g.chat() })
		}
		time.Sleep(5 * time.Second) // the bubble's clock, here and below
		m.places.Store(1000)
		time.Sleep(time.Minute)
		if n := m.inside.Load(); n != 40 {
			t.Errorf("a minute after there was room, %d of 40 run", n)
		}
		all.Wait()
	})
}

// TestConcurrency_RefusalsOfAnotherKindLetNoCrowdOut has 8 places, of which all are always
// used, and refusals by chance.
func TestConcurrency_RefusalsOfAnotherKindLetNoCrowdOut(t *testing.T) {
	for _, chance := range []float64{0, 0.02, 0.05} {
		synctest.Test(t, func(t *testing.T) {
			m, random := &hall{took: time.Second}, rand.New(rand.NewPCG(1, 2))
			m.places.Store(8)
			var mu sync.Mutex
			var second [300]int
			start := time.Now()
			g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
				mu.Lock()
				bad := random.Float64() < chance
				second[min(int(time.Since(start)/time.Second), len(second)-1)]++
				mu.Unlock()
				if bad {
					answers(503, overBody)(w, r, n)
					return
				}
				m.serve(w, r, n)
			}, plainRetry)
			for _, one := range g.crowd(400, chatBody) {
				if one.status != http.StatusOK {
					t.Errorf("chance %v: got %d by %s after %v", chance, one.status, one.source, one.after)
				}
			}
			most := 0
			for _, n := range second {
				most = max(most, n)
			}
			if took := time.Since(start); took > 60*time.Second || g.calls.Load() > 480 || most > 24 {
				t.Errorf("chance %v: took %v, %d calls, %d in one second", chance, took, g.calls.Load(), most)
			}
		})
	}
}

func TestConcurrency_SlowCallsOfOneKindTurnAwayNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Path == chatPath {
				time.Sleep(30 * time.Second)
			}
			fine(w, r, n)
		}, func(c *settings.Config) { c.MaxInflight, c.Retry.Max = 1, 0 })
		for range 8 {
			g.chat()
		}
		var all sync.WaitGroup
		all.Go(func() { g.chat() })
		time.Sleep(28 * time.Second) // a slot is free in 2 s
		resp, body := g.do(with(g.request(http.MethodPost, "/v1/embeddings", embeddingBody), "X-Stainless-Read-Timeout: 10"))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %d %s, though it would be answered in 2 s of its 10", resp.StatusCode, body)
		}
		all.Wait()
	})
}

func TestConcurrency_AFullUpstreamSendsCallsOnToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &hall{took: 10 * time.Second}
		m.places.Store(4)
		s := newSeveral(t, realBackoff, m.serve, func(w http.ResponseWriter, r *http.Request, n int) {
			time.Sleep(time.Second)
			answering("second")(w, r, n)
		})
		for range 2 {
			start := time.Now()
			s.crowd(24, chatBody)
			if took := time.Since(start); took > 12*time.Second {
				t.Errorf("24 calls took %v, though the second upstream is idle", took)
			}
		}
	})
}

func TestConcurrency_NobodyHoldsASlotWhileWaitingForTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first atomic.Bool
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			sent, _ := io.ReadAll(r.Body)
			time.Sleep(time.Second)
			if string(sent) == chatBody && first.CompareAndSwap(false, true) {
				answers(429, rateBody, "Retry-After", "30")(w, r, n)
				return
			}
			fine(w, r, n)
		}, func(c *settings.Config) { c.MaxInflight = 2 })
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() { g.chat() })
		}
		time.Sleep(500 * time.Millisecond)
		for _, one := range g.crowd(4, otherBody) {
			if one.after > 15*time.Second {
				t.Errorf("another model waited for %v", one.after)
			}
		}
		all.Wait()
	})
}

func TestConcurrency_LeavingCallersLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &hall{took: 3 * time.Second}
		m.places.Store(4)
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n%9 == 0 {
				answers(429, rateBody, "Retry-After", "2")(w, r, n)
				return
			}
			m.serve(w, r, n)
		}, realBackoff, func(c *settings.Config) { c.MaxInflight = 6 })
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				r := g.request(http.MethodPost, chatPath, chatBody)
				if i%4 == 1 {
					r.Header.Set("Idempotency-Key", strings.Repeat("k", i))
				}
				ctx, leave := context.WithTimeout(r.Context(), time.Duration(i%50)*700*time.Millisecond+time.Millisecond)
				defer leave()
				if resp, err := g.client.Do(r.WithContext(ctx)); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			time.Sleep(30 * time.Millisecond)
		}
		all.Wait()
		time.Sleep(12 * time.Minute) // calls with a key go on
		synctest.Wait()
		up := g.status().Upstreams[0]
		for _, c := range []admission.ConcurrencyStatus{up.Concurrency, up.Limits[0].Concurrency} {
			if c.Running != 0 || c.Queue != 0 {
				t.Errorf("left: %+v", c)
			}
		}
		if u := g.proxy.gen().Upstreams[0]; !u.Slots.Idle() || up.Budget != 10 {
			t.Errorf("slots all free: %t, budget %d", u.Slots.Idle(), up.Budget)
		}
	})
}

func TestLoading_AnotherUpstreamAnswersMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, realBackoff, answers(503, loadingHF), answering("second"))
		for range 2 {
			for _, one := range s.crowd(10, chatBody) {
				if one.status != http.StatusOK || one.after > 2*time.Second {
					t.Errorf("got %d after %v", one.status, one.after)
				}
			}
		}
	})
}

func TestConfirm_HoldsWithFailoverByQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, func(c *settings.Config) { c.Failover = everything }, func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				fine(w, r, n)
				return
			}
			answers(401, `{"error":{"code":"invalid_api_key"}}`)(w, r, n)
		}, answering("second"))
		for range 20 {
			s.chat()
			time.Sleep(time.Second)
		}
		if got := s.times(); got[0] > 4 {
			t.Errorf("%d calls: the dead credential is asked again and again", got[0])
		}
	})
}

func TestBudget_ManyLongCallsLostAtOnceComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		live := map[chan struct{}]bool{}
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			cut := make(chan struct{})
			mu.Lock()
			live[cut] = true
			mu.Unlock()
			select {
			case <-time.After(time.Minute):
			case <-cut:
				panic(http.ErrAbortHandler)
			}
			mu.Lock()
			delete(live, cut)
			mu.Unlock()
			fine(w, r, n)
		}, plainRetry)
		var all sync.WaitGroup
		for i := range 300 { // two a second, 120 in flight
			all.Go(func() {
				if resp, body := g.chat(); resp.StatusCode != http.StatusOK {
					t.Errorf("got %d %s", resp.StatusCode, body)
				}
			})
			time.Sleep(500 * time.Millisecond)
			if i == 200 {
				mu.Lock()
				for c := range live {
					close(c)
				}
				clear(live)
				mu.Unlock()
			}
		}
		all.Wait()
	})
}

func TestBudget_RejectionsPayForNothing(t *testing.T) {
	calls := map[bool]int64{}
	for _, beside := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if r.Header.Get("Authorization") == "Bearer bad" {
					answers(400, `{"error":{"message":"bad"}}`)(w, r, n)
					return
				}
				answers(500, `{"error":{"message":"x"}}`)(w, r, n)
			}, plainRetry, func(c *settings.Config) { c.Breaker.Consecutive = 0 })
			var all sync.WaitGroup
			for i := range 200 {
				all.Go(func() {
					g.do(g.request(http.MethodPost, chatPath, strings.Replace(chatBody, "hi", strings.Repeat("x", i), 1)))
				})
				if beside {
					all.Go(func() {
						r := g.request(http.MethodPost, chatPath, chatBody)
						r.Header.Set("Authorization", "Bearer bad")
						g.do(r)
					})
				}
				time.Sleep(50 * time.Millisecond)
			}
			all.Wait()
			calls[beside] = g.calls.Load()
		})
	}
	// The rejected calls are requests too, of which a fifth may be retries that fail.
	if more := calls[true] - calls[false] - 200; more > 100 {
		t.Errorf("%d calls alone, %d more beside 200 rejected ones", calls[false], more+200)
	}
}

// TestRetry_HealthOfAnotherPathShortensNoPatience has an outage of chat while the list of
// models answers.
func TestRetry_HealthOfAnotherPathShortensNoPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if r.URL.Path == chatPath && time.Since(start) < 20*time.Second {
				answers(503, `{"error":{"message":"x"}}`)(w, r, n)
				return
			}
			fine(w, r, n)
		}, plainRetry)
		stop := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Second):
					g.do(g.request(http.MethodGet, "/v1/models", ""))
				}
			}
		})
		if resp, body := g.chat(); resp.StatusCode != http.StatusOK {
			t.Errorf("got %d %s after %v", resp.StatusCode, body, time.Since(start))
		}
		close(stop)
		all.Wait()
	})
}

func TestScopes_OfOneLabelAreOneSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine)
		up, long := g.proxy.gen().Upstreams[0], strings.Repeat("m", 300)
		for range 60 {
			up.Scopes.Report(gate.Scope{Endpoint: "chat", Model: long + "1"}, classify.Fault)
			up.Scopes.Report(gate.Scope{Endpoint: "chat", Model: long + "2"}, classify.Fault)
		}
		if _, err := g.registry.Gather(); err != nil {
			t.Errorf("no metrics any more: %.300s", err)
		}
	})
}
