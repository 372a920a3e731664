package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

// keeper is an upstream that honours Idempotency-Key: it makes a call once, and says of it
// meanwhile whatever running writes.
type keeper struct {
	takes   time.Duration // the first call with a key
	running script

	mu    sync.Mutex
	begun map[string]time.Time
	keys  []string
}

func (k *keeper) serve(w http.ResponseWriter, r *http.Request, n int) {
	key := r.Header.Get("Idempotency-Key")
	k.mu.Lock()
	k.keys = append(k.keys, key)
	begun, known := k.begun[key]
	if !known {
		begun = time.Now()
		k.begun[key] = begun
	}
	k.mu.Unlock()
	left := k.takes - time.Since(begun)
	switch {
	case known && left > 0:
		k.running(w, r, n)
		return
	case left > 0:
		_, _ = io.Copy(io.Discard, r.Body)
		select { // it goes on when nobody listens
		case <-time.After(left):
		case <-r.Context().Done():
			return
		}
	}
	fine(w, r, n)
}

func conflict(body string, headers ...string) script {
	return answers(http.StatusConflict, body, headers...)
}

func TestUpstreamKey_CallThatIsMadeAlreadyIsWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		running script
		most    int // calls
	}{
		"a wait":               {conflict(`{"error":"busy"}`, "Retry-After", "2"), 10},
		"a wait of nothing":    {conflict(``, "Retry-After", "0"), 20},
		"a code":               {conflict(`{"error":{"message":"","code":"idempotency_in_progress"}}`), 12},
		"a sentence":           {conflict(`{"detail":"Another request with this Idempotency-Key is still being processed"}`), 12},
		"a wait in its fields": {conflict(`{"error":{"message":"concurrent request","retry_after":3}}`), 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &keeper{takes: 16 * time.Second, running: tt.running, begun: map[string]time.Time{}}
				g := newBubble(t, k.serve, func(c *settings.Config) {
					patient(c)
					c.Retry.Max, c.Timeouts.Attempt = 1, 2*time.Second
				})
				start := time.Now()
				resp, body := g.chat()
				if took := time.Since(start); resp.StatusCode != http.StatusOK || took > 22*time.Second || len(k.keys) > tt.most {
					t.Errorf("got %d %s after %v and %d calls", resp.StatusCode, body, took, len(k.keys))
				}
				if len(slices.Compact(slices.Clone(k.keys))) != 1 {
					t.Errorf("it was sent with the keys %q", k.keys)
				}
			})
		})
	}
}

func TestUpstreamKey_CallersOwnIsWaitedForToTheDeadline(t *testing.T) {
	for name, path := range map[string]string{"compute": "/v1/chat/completions", "create": "/v1/files"} {
		for what, clears := range map[string]time.Duration{"and then made": 14 * time.Second, "in vain": time.Hour} {
			t.Run(name+"/"+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if got := r.Header.Get("Idempotency-Key"); got != "mine" {
							t.Errorf("sent with the key %q", got)
						}
						if time.Since(start) < clears {
							answers(409, `{"error":"conflict"}`, "Retry-After", "2")(w, r, n)
							return
						}
						fine(w, r, n)
					}, func(c *settings.Config) { patient(c); c.Timeouts.Total, c.Timeouts.TotalSet = time.Minute, true })
					resp, body := g.do(g.keyed("mine", path, chatBody))
					took := time.Since(start)
					switch {
					case clears < time.Hour && (resp.StatusCode != http.StatusOK || took > 20*time.Second || g.calls.Load() > 9):
						t.Errorf("got %d %s after %v and %d calls", resp.StatusCode, body, took, g.calls.Load())
					case clears == time.Hour && (resp.StatusCode != http.StatusConflict || took < 50*time.Second || took > time.Minute || g.calls.Load() > 31):
						t.Errorf("got %d %s after %v and %d calls", resp.StatusCode, body, took, g.calls.Load())
					}
					if retry := resp.Header.Get("X-Should-Retry"); retry != "" {
						t.Errorf("x-should-retry: %s", retry)
					}
				})
			})
		}
	}
}

func TestUpstreamKey_OfAnotherRequestIsFinal(t *testing.T) {
	for _, status := range []int{409, 422} {
		for _, body := range []string{
			`{"error":{"message":"no","code":"idempotency_mismatch"}}`,
			`{"error":{"message":"The key was used with a different request body.","code":"conflict"}}`,
			`{"title":"Idempotency-Key is already used","detail":"It MUST not be reused across different payloads of this operation."}`,
		} {
			for _, headers := range [][]string{nil, {"Retry-After", "2"}} {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, answers(status, body, headers...), patient)
					resp, got := g.do(g.keyed("mine", "/v1/chat/completions", chatBody))
					if resp.StatusCode != status || got != body || g.calls.Load() != 1 {
						t.Errorf("%d %s %v: got %d %s after %d calls", status, body, headers, resp.StatusCode, got, g.calls.Load())
					}
				})
			}
		}
	}
}

func TestUpstreamKey_OtherConflictsAreRetriedAndCounted(t *testing.T) {
	for name, script := range map[string]script{
		"a locked conversation":                        answers(409, `{"error":{"message":"Another process is currently operating on this conversation. Please retry in a few seconds.","code":"conversation_locked"}}`),
		"a wait, with a key that nobody can have used": answers(409, `{"error":"conflict"}`, "Retry-After", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, script, func(c *settings.Config) { patient(c); c.Retry.Max = 2 })
				if resp, body := g.chat(); resp.StatusCode != 409 || g.calls.Load() != 3 || resp.Header.Get("X-Should-Retry") != "false" {
					t.Errorf("got %d %s after %d calls", resp.StatusCode, body, g.calls.Load())
				}
			})
		})
	}
}

// An upstream that replays what it recorded under a key would replay a failure for ever.
func TestUpstreamKey_IsMadeAnewAfterAWholeFailure(t *testing.T) {
	for _, status := range []int{429, 500, 502, 503, 529} {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/own=%t", status, own), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var keys []string
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						key := r.Header.Get("Idempotency-Key")
						keys = append(keys, key)
						if key == keys[0] {
							answers(status, overBody)(w, r, n)
							return
						}
						fine(w, r, n)
					}, func(c *settings.Config) {
						patient(c)
						c.Retry.Max, c.Timeouts.Total, c.Timeouts.TotalSet = 3, time.Minute, true
					})
					r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
					if own {
						r.Header.Set("Idempotency-Key", "mine")
					}
					resp, body := g.do(r)
					switch {
					case own && (resp.StatusCode != status || len(slices.Compact(keys)) != 1 || keys[0] != "mine"):
						t.Errorf("got %d %s with the keys %q", resp.StatusCode, body, keys)
					case !own && (resp.StatusCode != 200 || len(keys) != 2 || !strings.HasPrefix(keys[1], keys[0])):
						t.Errorf("got %d %s with the keys %q", resp.StatusCode, body, keys)
					}
				})
			})
		}
	}
}

func TestUpstreamKey_StaysAfterAnEndThatLeavesItOpen(t *testing.T) {
	for name, fail := range map[string]script{"reset": hangUp, "timeout": silence, "a create's 500": apiError(500)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var keys []string
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					keys = append(keys, r.Header.Get("Idempotency-Key"))
					then(2, fail)(w, r, n)
				}, func(c *settings.Config) {
					patient(c)
					c.Timeouts.Attempt, c.Retry.Creates = time.Second, policy.CreatesAlways
				})
				path := "/v1/chat/completions"
				if strings.Contains(name, "create") {
					path = "/v1/files"
				}
				resp, body := g.do(g.request(http.MethodPost, path, chatBody))
				if resp.StatusCode != 200 || len(keys) != 3 || len(slices.Compact(keys)) != 1 {
					t.Errorf("got %d %s with the keys %q", resp.StatusCode, body, keys)
				}
			})
		})
	}
}
