package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// moving is an upstream whose name stands for the host that is counted up: each host
// answers with its number, or by a script.
type moving struct {
	at    atomic.Int64 // the host that new connections reach, from 1
	dials atomic.Int64
	hosts []*wire
}

// newMoving starts n hosts, and has g's upstream be them.
func newMoving(t *testing.T, g *rig, n int, script func(w http.ResponseWriter, r *http.Request, host int)) *moving {
	t.Helper()
	m := &moving{}
	m.at.Store(1)
	for i := range n {
		host := newWire()
		m.hosts = append(m.hosts, host)
		server := &http.Server{ErrorLog: quietLog, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			script(w, r, i+1)
		})}
		go func() { _ = server.Serve(host) }()
		t.Cleanup(func() {
			_ = g.proxy.Close()
			_ = server.Close()
		})
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		m.dials.Add(1)
		return m.hosts[m.at.Load()-1].dial(ctx, network, address)
	}
	g.ways["upstream.test:80"] = dial
	return m
}

func TestConnections_FailuresHaveTheNameLookedUpAgain(t *testing.T) {
	for name, old := range map[string]func(w http.ResponseWriter){
		"503":                 func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"502":                 func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"Cloudflare's 521":    func(w http.ResponseWriter) { w.WriteHeader(521) },
		"a broken connection": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"no answer":           func(http.ResponseWriter) { time.Sleep(3 * time.Second); panic(http.ErrAbortHandler) },
		"an answer that is no HTTP": func(w http.ResponseWriter) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 503\r\nnonsense\r\n\r\n")
			_ = conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, fine, func(c *settings.Config) {
					patient(c)
					c.Limit.Learn = false
					c.Timeouts.Attempt = 2 * time.Second
				})
				moved := atomic.Bool{}
				m := newMoving(t, g, 2, func(w http.ResponseWriter, r *http.Request, host int) {
					if host == 1 && moved.Load() {
						old(w)
						return
					}
					time.Sleep(50 * time.Millisecond)
					fine(w, r, host)
				})
				busy := func(n int) chan int {
					statuses := make(chan int, n)
					for range n {
						go func() {
							resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
							if err != nil {
								statuses <- 0
								return
							}
							_, _ = io.Copy(io.Discard, resp.Body)
							_ = resp.Body.Close()
							statuses <- resp.StatusCode
						}()
					}
					return statuses
				}
				for range 20 {
					for s := range drain(busy(5), 5) {
						if s != http.StatusOK {
							t.Fatalf("got %d before", s)
						}
					}
				}
				moved.Store(true)
				m.at.Store(2)
				start := time.Now()
				for s := range drain(busy(5), 5) {
					if s != http.StatusOK {
						t.Errorf("got %d", s)
					}
				}
				if took := time.Since(start); took > 15*time.Second {
					t.Errorf("all were answered only after %v", took)
				}
				start = time.Now()
				for s := range drain(busy(5), 5) {
					if s != http.StatusOK {
						t.Errorf("got %d after it", s)
					}
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("the next ones took %v", took)
				}
			})
		})
	}
}

// drain yields n values.
func drain(c chan int, n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for range n {
			if !yield(<-c) {
				return
			}
		}
	}
}

func TestConnections_HaveAGreatestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, func(c *settings.Config) { c.Limit.Learn = false })
		m := newMoving(t, g, 2, func(w http.ResponseWriter, r *http.Request, host int) {
			w.Header().Set("Host-Number", string(rune('0'+host)))
			fine(w, r, host)
		})
		start, host := time.Now(), ""
		for time.Since(start) < 15*time.Minute {
			resp, _ := g.chat()
			if host = resp.Header.Get("Host-Number"); host == "2" {
				break
			}
			m.at.Store(2)
			time.Sleep(time.Second)
		}
		// upstream.keptAge, less up to upstream.keptJitter
		if took := time.Since(start); host != "2" || took < 3*time.Minute-time.Second || took > 5*time.Minute+time.Second {
			t.Errorf("host %s after %v of busy traffic, want 2 between 3 and 5 minutes", host, took)
		}
		if m.dials.Load() != 2 {
			t.Errorf("%d connections were opened, want 2", m.dials.Load())
		}
	})
}

func TestConnections_RenewalCutsNoStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, func(c *settings.Config) { c.Limit.Learn = false })
		m := newMoving(t, g, 1, func(w http.ResponseWriter, r *http.Request, host int) {
			if r.URL.Path != "/v1/chat/completions" {
				fine(w, r, host)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			for range 20 * 60 {
				_, _ = io.WriteString(w, delta("a"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
			_, _ = io.WriteString(w, doneEvent)
		})
		over := make(chan string)
		go func() {
			_, body, err := g.stream(g.client, "/v1/chat/completions")
			if err != nil {
				t.Errorf("the stream ended with %v", err)
			}
			over <- body
		}()
		for range 20 * 60 {
			g.do(g.request(http.MethodPost, "/v1/embeddings", chatBody))
			time.Sleep(time.Second)
		}
		if body := <-over; body != strings.Repeat(delta("a"), 20*60)+doneEvent {
			t.Errorf("got %d bytes", len(body))
		}
		if n := m.dials.Load(); n < 5 || n > 8 {
			t.Errorf("%d connections in 20 minutes, want one per 3 to 5 minutes and one more", n)
		}
	})
}

func TestConnections_IllUpstreamIsNotConnectedToAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, fine, func(c *settings.Config) {
			c.Limit.Learn, c.Retry.Max, c.Breaker.Consecutive, c.Breaker.Ratio = false, 0, 0, 0
		})
		calls := 0
		m := newMoving(t, g, 1, func(w http.ResponseWriter, r *http.Request, host int) {
			if calls++; calls%10 < 5 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			fine(w, r, host)
		})
		for range 10 * 60 {
			g.chat()
			time.Sleep(100 * time.Millisecond)
		}
		if n := m.dials.Load(); n > 8 {
			t.Errorf("%d connections in a minute", n)
		}
	})
}
