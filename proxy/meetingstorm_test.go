package proxy

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/settings"
	"outrigger/test/chance"
)

// work is what two troubled upstreams have carried out, by the body's text.
type work struct {
	mu   sync.Mutex
	rand *rand.Rand
	done map[string]int
}

// script has any trouble that an upstream can have. What it says was not carried out
// was not, and all else was.
func (w *work) script(rw http.ResponseWriter, r *http.Request, n int) {
	text := r.URL.Path + readAll(r)
	w.mu.Lock()
	trouble, pause := w.rand.IntN(10), time.Duration(w.rand.IntN(3000))*time.Millisecond
	if trouble > 2 {
		w.done[text]++
	}
	w.mu.Unlock()
	time.Sleep(pause)
	switch trouble {
	case 0:
		answers(503, overBody)(rw, r, n)
	case 1:
		answers(429, rateBody, "Retry-After", "1")(rw, r, n)
	case 2:
		answers(400, overBody)(rw, r, n)
	case 3:
		answers(500, overBody, "X-Should-Retry", "false")(rw, r, n)
	case 4:
		apiError(502)(rw, r, n)
	case 5:
		resetting(rw, r, n)
	case 6:
		answers(500, overBody, "Retry-After", "9000")(rw, r, n)
	default:
		answering("any")(rw, r, n)
	}
}

// Each create has a key and three callers one after the other or at once, some of whom
// leave. Two upstreams have every trouble, and all features are on.
func TestNoCreateIsDoneTwiceInAnyTrouble(t *testing.T) {
	for seed := range chance.Seeds(t, 8) {
		for _, creates := range []string{"unambiguous", "always"} {
			t.Run(fmt.Sprint(creates, seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { troubled(t, seed, creates) }) })
		}
	}
}

func troubled(t *testing.T, seed uint64, creates string) {
	w := &work{rand: rand.New(rand.NewPCG(seed, 1)), done: map[string]int{}}
	s := newSeveral(t, func(c *settings.Config) {
		c.Failover, c.Rejoin, c.MaxInflight = everything, 4*time.Second, 5
		c.Breaker.Min, c.Breaker.Consecutive, c.Breaker.Wait = 5, 3, 2*time.Second
		c.Timeouts.Total, c.Timeouts.Attempt = time.Minute, 2500*time.Millisecond
		if creates == "always" {
			c.Retry.Max = 0 // what the one upstream would recognise
			c.Retry.Creates = "always"
		}
	}, w.script, w.script)
	var all sync.WaitGroup
	draw := rand.New(rand.NewPCG(seed, 2))
	for i := range 60 {
		for try := range 3 {
			start, leave := time.Duration(draw.IntN(20_000))*time.Millisecond, time.Duration(200+draw.IntN(6000))*time.Millisecond
			all.Go(func() {
				time.Sleep(start)
				ctx, cancel := context.WithTimeout(context.Background(), leave)
				defer cancel()
				r := with(s.request(http.MethodPost, createPath, fmt.Sprintf(`{"name":"n%d"}`, i)), "Idempotency-Key: "+fmt.Sprint("k", i))
				if i%3 == 0 { // one of a compute, without a key
					r = with(s.request(http.MethodPost, "/v1/chat/completions", fmt.Sprintf(`{"model":"m%d"}`, i%4)), "X-Stainless-Retry-Count: "+fmt.Sprint(try))
				}
				resp, err := s.client.Do(r.WithContext(ctx))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
	}
	all.Wait()
	time.Sleep(2 * time.Minute) // what goes on without its caller ends
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for text, times := range w.done {
		if times > 1 && text[:len(createPath)] == createPath {
			t.Errorf("%s was done %d times", text, times)
		}
	}
	s.settled(t)
}

// settled fails the test if anything is still held when all requests are over.
func (s *several) settled(t *testing.T) {
	t.Helper()
	memory, disk := s.held()
	if s.inflight() != 0 || memory != 0 || disk != 0 || s.proxy.calls.Running() != 0 || s.proxy.calls.Abandoned.Count() != 0 {
		t.Errorf("%d in flight, %d and %d bytes, %d flights, %d abandoned", s.inflight(), memory, disk, s.proxy.calls.Running(), s.proxy.calls.Abandoned.Count())
	}
	for _, up := range s.proxy.gen().Upstreams {
		if !up.Slots.Idle() || up.Gate.Depth() != 0 {
			t.Errorf("%s: slots %+v, all free: %t, %d at the gate", up.Config.Name, up.Slots.Status(time.Now()), up.Slots.Idle(), up.Gate.Depth())
		}
		up.Queues.Each(time.Now(), func(_ []admission.Key, s limit.Snapshot, _ bool) {
			if s.Queue != 0 {
				t.Errorf("%s: %d in line", up.Config.Name, s.Queue)
			}
		})
	}
}
