package proxy

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// soon is within what the upstream is to be closed once the caller has left.
const soon = 100 * time.Millisecond

var timing = flag.Bool("timing", false, "hold what is measured to its bounds: the machine has nothing else to do (make timing)")

// timely logs what was measured, and holds it to a bound if the machine is quiet.
func timely(t *testing.T, what string, got, most time.Duration) {
	t.Helper()
	t.Logf("%s: %s, of at most %s", what, got.Round(10*time.Microsecond), most)
	if *timing && got > most {
		t.Errorf("%s: %s, want at most %s", what, got, most)
	}
}

// On real sockets, in every phase of a request: from the caller's leaving to the end of
// the call upstream, or of the wait for it. That none of it takes any time but the
// machine's is shown without sockets by TestACallerThatLeavesStopsEverything.
func TestLeavingEndsTheCallUpstreamSoon(t *testing.T) {
	refused := answers(429, `{"error":{"message":"Rate limit reached. Please try again in 30s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, "Retry-After", "30")
	begins := func(kind, text string) script {
		return func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			trickle(w, kind, text)
			silence(w, r, n)
		}
	}
	const chat, file = "/v1/chat/completions", "/v1/files"
	tests := map[string]struct {
		path     string
		upstream script
		edit     func(*settings.Config)
		waits    bool // nothing is open upstream by then
	}{
		"in line":      {chat, refused, nil, true},
		"in a backoff": {chat, apiError(503), func(c *settings.Config) { c.Retry.Base, c.Retry.Cap = time.Hour, time.Hour }, true},
		"at the breaker": {chat, apiError(500), func(c *settings.Config) {
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = 1, time.Hour, time.Hour
		}, true},
		"before the headers":    {chat, silence, nil, false},
		"in a held error":       {chat, func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(400); begins("", "{")(w, r, n) }, nil, false},
		"in a held JSON answer": {chat, begins("application/json", `{"a":`), nil, false},
		"in a held stream":      {chat, begins("text/event-stream", ": ping\n\n"), nil, false},
		"in a stream":           {chat, begins("text/event-stream", delta("a")), nil, false},
		"in a download":         {"/v1/files/f/content", begins("application/octet-stream", "abc"), nil, false},
		"in an upload": {file, func(_ http.ResponseWriter, r *http.Request, _ int) { _, _ = io.Copy(io.Discard, r.Body) }, func(c *settings.Config) {
			c.Bodies.MemoryMax, c.Bodies.SpoolMax = 64<<10, 0
		}, false},
	}
	for name, tt := range tests {
		for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
			t.Run(name+"/"+version, func(t *testing.T) {
				ended := make(chan time.Time, 10)
				g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
					defer func() { ended <- time.Now() }()
					tt.upstream(w, r, n)
				}, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				client := g.client
				if h2 {
					client = g.h2()
				}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				r := g.request(http.MethodPost, tt.path, chatBody)
				var sending *io.PipeWriter
				if tt.path == file {
					r.Body, sending = io.Pipe()
					r.ContentLength = 1 << 30
					go func() {
						piece := make([]byte, 64<<10)
						for {
							if _, err := sending.Write(piece); err != nil {
								return
							}
						}
					}()
				}
				over := make(chan struct{})
				go func() {
					defer close(over)
					resp, err := client.Do(r.WithContext(ctx))
					if err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				}()
				eventually(t, "the call", func() bool { return g.calls.Load() > 0 })
				if tt.waits {
					<-ended
					eventually(t, "the wait", func() bool { return strings.Contains(g.log.String(), `"msg":"attempt"`) })
				}
				start := time.Now()
				leave()
				end := start
				if !tt.waits {
					end = <-ended
				}
				eventually(t, "the request's end", func() bool { return g.inflight() == 0 })
				if tt.waits {
					end = time.Now()
				}
				timely(t, "the end of it", end.Sub(start), soon)
				<-over
				if sending != nil {
					_ = sending.Close()
				}
			})
		}
	}
	t.Run("in a WebSocket", func(t *testing.T) {
		ended := make(chan time.Time, 1)
		_, conn, _ := rawTunnel(t, func(c *rawConn) {
			_, _ = io.Copy(io.Discard, c.r)
			ended <- time.Now()
		})
		start := time.Now()
		_ = conn.Close()
		timely(t, "the end of it", (<-ended).Sub(start), soon)
	})
}

// What TestACallerThatLeavesStopsEverything cannot send with a client: no time passes
// between the leaving and the end.
func TestLeavingAnUploadOrATunnelTakesNoTime(t *testing.T) {
	for name, tt := range map[string]struct {
		request  string
		upstream func(ended chan<- struct{}) script
	}{
		"an upload that is passed on": {"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n" + strings.Repeat("x", 1<<20), func(ended chan<- struct{}) script {
			return func(_ http.ResponseWriter, r *http.Request, _ int) {
				_, _ = io.Copy(io.Discard, r.Body)
				close(ended)
			}
		}},
		"a WebSocket": {wsRequest, func(ended chan<- struct{}) script {
			return func(w http.ResponseWriter, r *http.Request, n int) {
				hijackedTunnel(nil)(w, r, n)
				close(ended)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				g := newBubble(t, tt.upstream(ended), func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 64<<10, 0 })
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(conn)) }()
				_, _ = io.WriteString(conn, tt.request)
				synctest.Wait()
				if g.calls.Load() != 1 || g.inflight() != 1 {
					t.Fatalf("%d calls, %d in flight", g.calls.Load(), g.inflight())
				}
				start := time.Now()
				_ = conn.Close()
				<-ended
				for g.inflight() > 0 {
					synctest.Wait()
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %s", took)
				}
				synctest.Wait() // for the log
				if log := g.log.String(); !strings.Contains(log, `"outcome":"canceled"`) {
					t.Errorf("the log says %s", log)
				}
			})
		})
	}
}
