package proxy

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
	"outrigger/test/chance"
)

// storm is an upstream that fails in every way there is, by chance, and a ledger
// of the creates that it carried out.
type storm struct {
	mu      sync.Mutex
	random  *rand.Rand
	over    bool
	carried map[string]int
}

func (s *storm) roll(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0
	}
	return s.random.IntN(n)
}

func (s *storm) script(w http.ResponseWriter, r *http.Request, n int) {
	switch {
	case r.URL.Path == goodPath:
		good(w, r, n)
	case r.URL.Path == "/v1/files":
		s.create(w, r, n)
	case strings.HasPrefix(r.URL.Path, "/v1/chat"):
		s.stream(w, r, n)
	default:
		s.read(w, r, n)
	}
}

// create refuses, or carries the request out and then answers in one way or another.
func (s *storm) create(w http.ResponseWriter, r *http.Request, n int) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch s.roll(10) {
	case 1:
		apiError(503)(w, r, n)
		return
	case 2:
		answers(429, `{"error":{"message":"Please try again in 300ms.","code":"rate_limit_exceeded"}}`)(w, r, n)
		return
	case 3:
		apiError(409)(w, r, n)
		return
	}
	s.mu.Lock()
	s.carried[r.Header.Get("X-Id")]++
	s.mu.Unlock()
	switch s.roll(8) {
	case 1:
		hangUp(w, r, n)
	case 2:
		apiError(500)(w, r, n)
	case 3:
		apiError(504)(w, r, n)
	case 4:
		silence(w, r, n)
	case 5:
		w.Header().Set("Content-Length", "50")
		fine(w, r, n)
	default:
		fine(w, r, n)
	}
}

func (s *storm) stream(w http.ResponseWriter, r *http.Request, n int) {
	switch s.roll(8) {
	case 1:
		streamOf(delta("a"), broken)(w, r, n)
	case 2:
		streamOf("data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n", clean)(w, r, n)
	case 3:
		trickle(w, "text/event-stream", delta("a"))
		silence(w, r, n)
	case 4:
		streamOf("", clean)(w, r, n)
	case 5:
		silence(w, r, n)
	default:
		trickle(w, "text/event-stream", delta("a"))
		s.pause(r)
		trickle(w, "", delta("b")+doneEvent)
	}
}

func (s *storm) read(w http.ResponseWriter, r *http.Request, n int) {
	s.pause(r)
	switch s.roll(10) {
	case 1:
		hangUp(w, r, n)
	case 2:
		apiError(500)(w, r, n)
	case 3:
		answers(429, `{"error":{"message":"Please try again in 1s.","code":"rate_limit_exceeded"}}`)(w, r, n)
	case 4:
		apiError(529)(w, r, n)
	case 5:
		answers(401, deadKey)(w, r, n)
	default:
		fine(w, r, n)
	}
}

// pause waits for a second at most, as long as the caller is there.
func (s *storm) pause(r *http.Request) {
	timer := time.NewTimer(time.Duration(s.roll(1000)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// call sends one request at some time, and leaves at some other.
func (s *storm) call(g *rig, c *http.Client, id int) {
	leaves := []time.Duration{time.Hour, time.Hour, 30 * time.Second, 3 * time.Second, 100 * time.Millisecond, 0}[s.roll(6)]
	ctx, cancel := context.WithTimeout(g.t.Context(), leaves)
	defer cancel()
	method, path, body := "GET", "/v1/models", ""
	switch s.roll(3) {
	case 1:
		method, path, body = "POST", "/v1/files", "{}"
	case 2:
		method, path, body = "POST", "/v1/chat/completions", streamBody
	}
	r := with(g.request(method, path, body), fmt.Sprint("X-Id: ", id), fmt.Sprint("Authorization: Bearer ", s.roll(4)))
	if s.roll(2) == 1 {
		r.Header.Set("X-Stainless-Read-Timeout", "20")
	}
	resp, err := c.Do(r.WithContext(ctx))
	if err != nil {
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.Header.Get("Content-Type") == "text/event-stream" && !strings.HasSuffix(string(text), doneEvent) {
		g.t.Errorf("a stream ended cleanly as %q", text)
	}
}

// Whatever happens, in whatever order: nothing is carried out twice, nothing is
// kept, and afterwards all is well.
func TestAStormLeavesNothingBehind(t *testing.T) {
	for seed := range chance.Seeds(t, 8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &storm{random: rand.New(rand.NewPCG(seed, 0)), carried: map[string]int{}}
				g := newBubble(t, s.script, func(c *settings.Config) {
					c.MaxInflight, c.Timeouts.Attempt, c.Timeouts.StreamIdle, c.TripCooldown = 10, 5*time.Second, 7*time.Second, 3*time.Second
				})
				clients := []*http.Client{g.client, g.h2()}
				var callers sync.WaitGroup
				for id := range 300 {
					callers.Go(func() {
						time.Sleep(time.Duration(s.roll(30_000)) * time.Millisecond) // the bubble's clock
						s.call(g, clients[id%2], id)
					})
				}
				callers.Wait()
				s.mu.Lock()
				s.over = true
				s.mu.Unlock()
				time.Sleep(time.Minute)

				for id, n := range s.carried {
					if n > 1 {
						t.Errorf("create %s was carried out %d times", id, n)
					}
				}
				if len(s.carried) < 20 {
					t.Errorf("only %d creates were carried out: this proves little", len(s.carried))
				}
				up := g.proxy.gen().Upstreams[0]
				if n := g.inflight(); n != 0 || !up.Slots.Idle() || up.Gate.Depth() != 0 {
					t.Errorf("%d requests in flight, slots %+v, all free: %t, %d at the breaker", n, up.Slots.Status(time.Now()), up.Slots.Idle(), up.Gate.Depth())
				}
				for _, l := range g.status().Upstreams[0].Limits {
					if l.State.Queue != 0 {
						t.Errorf("%d wait in line", l.State.Queue)
					}
				}
				if memory, disk := g.held(); memory != 0 || disk != 0 {
					t.Errorf("%d bytes of memory and %d of disk are held", memory, disk)
				}
				for _, line := range strings.Split(g.metricsText(), "\n") {
					if strings.HasPrefix(line, "outrigger_streams_open ") && line != "outrigger_streams_open 0" {
						t.Error(line)
					}
				}
				for range 20 {
					g.works()
				}
			})
		})
	}
}
