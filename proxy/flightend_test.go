package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/observe"
	"outrigger/proxy/settings"
)

// sluggish is a store that takes a second to end a claim.
type sluggish struct{ claims.Store }

func (s sluggish) Finish(ctx context.Context, c claims.Claim, a *claims.Answer) error {
	time.Sleep(time.Second)
	return s.Store.Finish(ctx, c, a)
}

func (s sluggish) Release(ctx context.Context, c claims.Claim) error {
	time.Sleep(time.Second)
	return s.Store.Release(ctx, c)
}

func (s sluggish) Lose(ctx context.Context, c claims.Claim, status int) error {
	time.Sleep(time.Second)
	return s.Store.Lose(ctx, c, status)
}

// A process may die at any time: what a caller has whole must be stored by then. And
// one who sees a failure and asks again at once must not be given the same one.
func TestNoCallerSeesTheEndBeforeItIsSettled(t *testing.T) {
	tests := map[string]struct {
		upstream   script
		path, body string
		early      string // what it may have before
		status     int
	}{
		"JSON": {numbered(0), "/v1/chat/completions", chatBody, "", 200},
		"JSON of unknown length": {func(w http.ResponseWriter, _ *http.Request, _ int) {
			trickle(w, "application/json", `{"a":`)
			_, _ = io.WriteString(w, `1}`)
		}, "/v1/chat/completions", chatBody, "", 200},
		"a stream":            {streamOf(delta("a")+secondStream, clean), "/v1/chat/completions", streamBody, delta("a"), 200},
		"a failure":           {apiError(400), "/v1/chat/completions", chatBody, "", 400},
		"an error of our own": {hangUp, "/v1/files", "{}", "", 424},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream)
				g.proxy.calls.Store = sluggish{g.proxy.calls.Store}
				began := time.Now()
				resp, err := g.client.Do(g.keyed("k", tt.path, tt.body))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				var got strings.Builder
				buf := make([]byte, 1<<10)
				for err == nil {
					var n int
					n, err = resp.Body.Read(buf)
					got.Write(buf[:n])
					if whole := got.Len() > len(tt.early); whole && time.Since(began) < time.Second {
						t.Fatalf("after %v it has %q", time.Since(began), got.String())
					}
				}
				if resp.StatusCode != tt.status || !errors.Is(err, io.EOF) {
					t.Errorf("status %d, %v", resp.StatusCode, err)
				}
			})
		})
	}
}

// inflightAt is a log handler that notes how many requests are in flight when a line
// is written.
type inflightAt struct {
	slog.Handler
	lines chan string
	p     *Proxy
}

func (inflightAt) Enabled(context.Context, slog.Level) bool { return true }

func (i inflightAt) Handle(_ context.Context, r slog.Record) error {
	i.lines <- fmt.Sprintf("%s: %d", r.Message, i.p.Inflight())
	return nil
}

// A drain ends the process once nothing is in flight.
func TestARequestIsInFlightUntilItsLineIsWritten(t *testing.T) {
	tests := map[string]struct {
		key  string
		left bool
		want string
	}{
		"of its own":                 {"", false, "request: 1"},
		"that shares its call":       {"k", false, "request: 1"},
		"that its caller left":       {"", true, "request: 1"},
		"whose call goes on without": {"k", true, "request: 1, call ended without its caller: 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, numbered(time.Minute))
				log := inflightAt{slog.DiscardHandler, make(chan string, 10), g.proxy}
				g.proxy.gen().Recorder = observe.Recorders{observe.NewLog(slog.New(log))}
				r := g.request(http.MethodPost, chatPath, chatBody)
				if tt.key != "" {
					r = g.keyed(tt.key, chatPath, chatBody)
				}
				ctx, leave := context.WithCancel(t.Context())
				if tt.left {
					time.AfterFunc(time.Second, leave)
				}
				defer leave()
				if resp, err := g.client.Do(r.WithContext(ctx)); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				time.Sleep(2 * time.Minute)
				if n := g.inflight(); n != 0 {
					t.Errorf("%d are in flight in the end", n)
				}
				close(log.lines)
				var got []string
				for line := range log.lines {
					if !strings.HasPrefix(line, "attempt") {
						got = append(got, line)
					}
				}
				if all := strings.Join(got, ", "); all != tt.want {
					t.Errorf("logged %q, want %q", all, tt.want)
				}
			})
		})
	}
}

// A panic in a handler is net/http's to catch; a call runs in a goroutine of its own.
func TestACallThatPanicsTakesNobodyElseAlong(t *testing.T) {
	g := newRig(t, fine)
	upstream := g.proxy.gen().Upstreams[0]
	whole := upstream.Pooled
	upstream.Pooled = roundTripper(func(*http.Request) (*http.Response, error) { panic("a defect") })
	if got := g.ask(g.keyed("k", "/v1/chat/completions", chatBody)); got.status != 502 || got.body != "upstream_broke" {
		t.Errorf("got %+v", got)
	}
	upstream.Pooled = whole
	if got := g.ask(g.keyed("k", "/v1/chat/completions", chatBody)); got.status != 200 {
		t.Errorf("then %+v", got)
	}
	if log := g.log.String(); !strings.Contains(log, "a call panicked") || !strings.Contains(log, "a defect") {
		t.Errorf("the log does not tell: %s", log)
	}
}

func TestACallerThatTakesNothingHoldsUpNobody(t *testing.T) {
	const size = 4 << 20
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	})
	stalled := g.dial()
	defer stalled.Close()
	_, _ = io.WriteString(stalled, "POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-test\r\n"+
		"Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 2\r\n\r\n{}")
	eventually(t, "the call to begin", func() bool { return g.calls.Load() == 1 })
	if got := g.ask(g.keyed("k", "/v1/audio/speech", "{}")); len(got.body) != size || got.source != "replay" || g.calls.Load() != 1 {
		t.Errorf("got %d bytes from %s after %d calls", len(got.body), got.source, g.calls.Load())
	}
}

// Callers of few keys that come, leave and stall at random, at an upstream that does
// the same, with little memory: nothing of it may be left behind.
func TestAStormOfKeysLeavesNothingBehind(t *testing.T) {
	callers := 400
	if testing.Short() {
		callers = 120
	}
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
		_, _ = io.Copy(io.Discard, r.Body)
		random := rand.New(rand.NewPCG(1, uint64(n)))
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
		switch random.IntN(6) {
		case 0:
			apiError(500)(w, r, n)
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.Header().Set("Content-Type", "audio/mpeg")
			for range random.IntN(40) {
				_, _ = io.WriteString(w, strings.Repeat("x", 16<<10))
			}
		case 3:
			trickle(w, "text/event-stream", delta("a"))
			time.Sleep(10 * time.Millisecond)
			panic(http.ErrAbortHandler)
		default:
			streamOf(delta("a")+secondStream, clean)(w, r, n)
		}
	}, func(c *settings.Config) {
		c.Rejoin, c.Bodies.MemoryMax, c.Store.Bytes = 100*time.Millisecond, 1<<20, 1<<20
		c.Retry.Budget, c.Breaker.Ratio, c.Breaker.Consecutive, c.Limit.Learn = 10, 0, 0, false
	})
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(i)))
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(5+random.IntN(100))*time.Millisecond)
			defer cancel()
			path := []string{"/v1/chat/completions", "/v1/files"}[i%2]
			r := g.request(http.MethodPost, path, fmt.Sprintf(`{"n":%d}`, i%7)).WithContext(ctx)
			if random.IntN(3) > 0 {
				r.Header.Set("Idempotency-Key", fmt.Sprint(path, i%7))
			}
			r.Header.Set("X-Stainless-Retry-Count", fmt.Sprint(random.IntN(2)))
			resp, err := g.client.Do(r)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			_, _ = io.CopyN(io.Discard, resp.Body, random.Int64N(1<<20))
		})
	}
	all.Wait()
	eventually(t, "all calls to end", func() bool {
		memory, spooled := g.held()
		status := g.status().Idempotency
		return g.inflight() == 0 && memory == 0 && spooled == 0 && status.Running == 0 && status.Abandoned == 0
	})
}
