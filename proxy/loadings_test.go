package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	loadingLlama = `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`
	loadingHF    = `{"error":"Model gpt-4o-mini is currently loading","estimated_time":20.0}`
	otherBody    = `{"model":"other","messages":[{"role":"user","content":"hi"}]}`
)

// loads answers that a model is loading until a time after the start.
func loads(d time.Duration, body string) script {
	start := time.Now()
	return func(w http.ResponseWriter, r *http.Request, n int) {
		sent, _ := io.ReadAll(r.Body)
		if time.Since(start) < d && bytes.Contains(sent, []byte("gpt-4o-mini")) {
			answers(503, body)(w, r, n)
			return
		}
		fine(w, r, n)
	}
}

func TestLoading_TheModelIsWaitedForByOneCallASecond(t *testing.T) {
	for _, callers := range []int{1, 5, 50} {
		t.Run(fmt.Sprint(callers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, loads(90*time.Second, loadingLlama), realBackoff)
				var all sync.WaitGroup
				all.Go(func() {
					for range 40 {
						time.Sleep(2 * time.Second) // the bubble's clock
						if got := g.crowd(1, otherBody)[0]; got.status != 200 || got.after > time.Second {
							t.Errorf("another model: %d by %s after %v", got.status, got.source, got.after)
						}
					}
				})
				for _, got := range g.crowd(callers, chatBody, "X-Stainless-Read-Timeout: 300") {
					if got.status != 200 || got.after < 90*time.Second || got.after > 92*time.Second {
						t.Errorf("was told %d %q by %s after %v", got.status, got.body, got.source, got.after)
					}
				}
				all.Wait()
				if n := int(g.calls.Load()) - 40 - 2*callers; n > 91 {
					t.Errorf("%d calls while it loaded", n)
				}
				t.Logf("%d calls", g.calls.Load()-40)
				if state := g.status().Upstreams[0].Breaker; state != "closed" {
					t.Errorf("the breaker is %s", state)
				}
				if got := g.crowd(1, chatBody)[0]; got.status != 200 || got.after > time.Second {
					t.Errorf("afterwards: %d after %v", got.status, got.after)
				}
			})
		})
	}
}

func TestLoading_AnEstimateIsWaitedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, loads(20*time.Second, loadingHF), realBackoff)
		got := g.crowd(1, chatBody)[0]
		if got.status != 200 || got.after < 20*time.Second || got.after > 22*time.Second || g.calls.Load() > 4 {
			t.Errorf("was told %d after %v and %d calls", got.status, got.after, g.calls.Load())
		}
		t.Logf("after %v and %d calls", got.after, g.calls.Load())
	})
}

func TestLoading_AtTheDeadlineEverybodyHearsTheModelsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, loads(time.Hour, loadingLlama), realBackoff)
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 3 * time.Second) // the bubble's clock
				for _, got := range g.crowd(4, chatBody, "X-Stainless-Read-Timeout: 30") {
					if got.status != 503 || got.body != loadingLlama || got.after > 31*time.Second || got.after < 25*time.Second {
						t.Errorf("was told %d %q by %s after %v", got.status, got.body, got.source, got.after)
					}
				}
			})
		}
		all.Wait()
	})
}

// TestLoading_OneServerOfTwoStopsNobody: behind a load balancer one has the model and one loads it.
func TestLoading_OneServerOfTwoStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if n%2 == 0 {
				answers(503, loadingLlama)(w, r, n)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(50 * time.Millisecond) // the bubble's clock
			fine(w, r, n)
		}, realBackoff)
		slow := 0
		for range 100 {
			if got := g.crowd(1, chatBody)[0]; got.status != 200 || got.after > 3*time.Second {
				t.Errorf("was told %d after %v", got.status, got.after)
			} else if got.after > time.Second {
				slow++
			}
		}
		if slow > 5 {
			t.Errorf("%d of 100 took over a second", slow)
		}
	})
}

func TestTier_OneWithoutCapacityDoesNotDelayAnother(t *testing.T) {
	flex := strings.Replace(chatBody, `{`, `{"service_tier":"flex",`, 1)
	for name, refuse := range map[string]script{
		"resource_unavailable": answers(429, `{"error":{"message":"Flex is out of resources","type":"resource_unavailable","param":null,"code":"resource_unavailable"}}`),
		"a bare 429":           answers(429, bare429, "Retry-After", "20"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					body, _ := io.ReadAll(r.Body)
					if bytes.Contains(body, []byte("flex")) {
						refuse(w, r, n)
						return
					}
					fine(w, r, n)
				}, realBackoff)
				g.crowd(4, chatBody)
				var all sync.WaitGroup
				all.Go(func() {
					for _, got := range g.crowd(20, flex, "X-Stainless-Read-Timeout: 60") {
						if got.status != 429 {
							t.Errorf("flex was told %d by %s", got.status, got.source)
						}
					}
				})
				for range 50 {
					time.Sleep(500 * time.Millisecond) // the bubble's clock
					if got := g.crowd(1, chatBody)[0]; got.status != 200 || got.after > 100*time.Millisecond {
						t.Errorf("standard was told %d by %s after %v", got.status, got.source, got.after)
					}
				}
				all.Wait()
			})
		})
	}
}
