package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// seenAnswer is what a caller sees of an answer and of its cost.
type seenAnswer struct {
	Status   int
	Attempts string
	Repeat   string
	Source   string
}

// ask makes a call with that text for a client of that name.
func (g *rig) askFor(text, agent string) (seenAnswer, string) {
	g.t.Helper()
	r := g.request(http.MethodPost, "/v1/chat/completions", strings.Replace(chatBody, "hi", text, 1))
	r.Header.Set("User-Agent", agent)
	return g.tell(r)
}

func (g *rig) tell(r *http.Request) (seenAnswer, string) {
	g.t.Helper()
	resp, body := g.do(r)
	h := resp.Header
	return seenAnswer{resp.StatusCode, h.Get("x-outrigger-attempts"), h.Get("x-outrigger-repeat"), h.Get("x-outrigger-source")}, body
}

func wantTold(t *testing.T, what string, got, want seenAnswer) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestRepeat_OfAFailedCallIsAttemptedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(503, overBody), unbounded, four)
		full, single := seenAnswer{503, "5", "", "upstream"}, seenAnswer{503, "1", "single", "upstream"}
		for i, want := range []seenAnswer{full, single, single} {
			got, _ := g.askFor("hi", "curl")
			wantTold(t, fmt.Sprintf("call %d", i+1), got, want)
		}
		got, _ := g.askFor("other", "curl")
		wantTold(t, "another body", got, full)
		r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
		r.Header.Set("Authorization", "Bearer sk-other")
		got, _ = g.tell(r)
		wantTold(t, "another credential", got, full)
		got, _ = g.tell(g.request(http.MethodPost, "/v1/chat/completions?a=b", chatBody))
		wantTold(t, "another query", got, full)
		r = g.request(http.MethodPost, "/v1/chat/completions", chatBody)
		r.Header.Set("Idempotency-Key", "another call")
		got, _ = g.tell(r)
		wantTold(t, "a key of its own", got, full)

		time.Sleep(31 * time.Second)
		got, _ = g.askFor("hi", "curl")
		wantTold(t, "after 31 s", got, full)
	})
}

func TestRepeat_SuccessEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			if call == 6 {
				fine(w, r, call)
				return
			}
			answers(503, overBody)(w, r, call)
		}, four)
		for i, want := range []seenAnswer{{503, "5", "", "upstream"}, {200, "1", "single", "upstream"}, {503, "5", "", "upstream"}} {
			got, _ := g.askFor("hi", "curl")
			wantTold(t, fmt.Sprintf("call %d", i+1), got, want)
		}
	})
}

// together makes n equal calls at once and returns how many attempts they cost.
func (g *rig) together(n int) int64 {
	g.t.Helper()
	before := g.calls.Load()
	var all sync.WaitGroup
	for range n {
		all.Go(func() { g.askFor("hi", "curl") })
	}
	all.Wait()
	return g.calls.Load() - before
}

func TestRepeat_EachFailureStandsForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(500, "{}"), unbounded, four)
		if made := g.together(2); made != 10 {
			t.Fatalf("%d attempts for two calls, want 10", made)
		}
		if made := g.together(3); made != 1+1+5 {
			t.Errorf("%d attempts for two repeats and a call of a third caller, want 7", made)
		}
	})
}

func TestRepeat_OnlyOfFailuresThatMayPass(t *testing.T) {
	for name, upstream := range map[string]script{
		"rejected":       answers(400, `{"error":{"message":"no"}}`),
		"not built":      answers(501, `{"error":{"message":"no"}}`),
		"a spent limit":  answers(429, `{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}`, "Retry-After", "3600"),
		"a dead account": answers(429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, upstream)
				for range 2 {
					if got, _ := g.askFor("hi", "curl"); got.Repeat != "" {
						t.Errorf("%+v, want no repeat", got)
					}
				}
				if n := g.proxy.gen().Failures.Len(); n != 0 {
					t.Errorf("%d failures are remembered", n)
				}
			})
		})
	}
}

func TestRepeat_SaysSoInOutriggersOwnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, unbounded)
		g.behind.Close()
		_, body := g.askFor("hi", "curl")
		if errorCode(t, body) != "upstream_unreachable" || strings.Contains(body, "repeat") {
			t.Errorf("at first: %s", body)
		}
		got, body := g.askFor("hi", "curl")
		wantTold(t, "the repeat", got, seenAnswer{502, "1", "single", "local"})
		if !strings.Contains(body, "1 attempt ") || !strings.Contains(body, "this repeat was attempted only once") {
			t.Errorf("the repeat: %s", body)
		}
	})
}

func TestRepeat_DoesNotWaitAtAnOpenBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(503, overBody), func(c *settings.Config) {
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = 1, time.Minute, 10*time.Second
		}, four) // alone, it opens at 5
		_, _ = g.askFor("hi", "curl")
		start := time.Now()
		got, body := g.askFor("hi", "curl")
		wantTold(t, "the repeat", got, seenAnswer{503, "0", "single", "local"})
		if took := time.Since(start); errorCode(t, body) != "circuit_open" || took > 1100*time.Millisecond {
			t.Errorf("after %s: %s", took, body)
		}
		start = time.Now()
		if got, _ := g.askFor("other", "curl"); got.Status != 503 || time.Since(start) != 10*time.Second {
			t.Errorf("another call: %+v after %s, want to wait for 10s", got, time.Since(start))
		}
	})
}

func TestRepeat_IsNotFailedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t, nil, answers(503, overBody), answers(503, overBody))
		_ = s.call(http.MethodPost, chatPath, chatBody)
		before := s.hit[0].Load() + s.hit[1].Load()
		got := s.call(http.MethodPost, chatPath, chatBody)
		if made := s.hit[0].Load() + s.hit[1].Load() - before; got.Status != 503 || made != 1 {
			t.Errorf("%+v: %d attempts, want 1", got, made)
		}
	})
}

// With RETRY_MAX=0 nothing was attempted twice: there is nothing to spare.
func TestRepeat_MeansNothingWithoutRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, answers(503, overBody), func(c *settings.Config) { c.Retry.Max = 0 })
		for range 2 {
			got, _ := g.askFor("hi", "curl")
			wantTold(t, "a call", got, seenAnswer{503, "1", "", "upstream"})
		}
	})
}

// unbounded lets every retry through.
func unbounded(c *settings.Config) {
	c.Breaker.Consecutive, c.Breaker.Ratio, c.Retry.Budget = 0, 0, 100
}

// four is the number of retries that these tests count on.
func four(c *settings.Config) { c.Retry.Max = 4 }
