package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/response"
	"outrigger/proxy/settings"
)

const frameWindow = 0x8

// pouring is a script that answers without end, after a pause behind its first piece,
// and counts what it could write.
func pouring(kind, text string, pause time.Duration, poured *atomic.Int64) script {
	first := int64(len(text))
	text = strings.Repeat(text, 1000)
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == goodPath {
			good(w, r, n)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		trickle(w, kind, text[:first])
		poured.Add(first)
		if pause > 0 {
			time.Sleep(pause) // a bubble's clock
		}
		for {
			n, err := io.WriteString(w, text)
			poured.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// endless are answers that go on for as long as somebody takes them.
var endless = map[string][2]string{
	"of an answer":     {"audio/mpeg", "0123456789"},
	"of a JSON answer": {"application/json", "         "},
	"of a stream":      {"text/event-stream", delta("a")},
}

// committed is a pause after which every answer has been committed. The relay flushes
// the headers in a goroutine of its own, behind a lock that no bubble can see
// through: that has to be over before anyone writes or waits.
const committed = response.HoldTime + time.Second

const chatRequest = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"

func TestACallerThatTakesNothingIsLetGo(t *testing.T) {
	for name, answer := range endless {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, pouring(answer[0], answer[1], 0, new(atomic.Int64)), func(c *settings.Config) { c.MaxInflight, c.Timeouts.StreamIdle = 1, 100*time.Millisecond })
			_, _ = io.WriteString(g.dial(), chatRequest)
			eventually(t, "it to begin", func() bool { return g.calls.Load() == 1 })
			eventually(t, "it to end", func() bool { return g.inflight() == 0 })
			g.works()
		})
	}
}

// On a connection without buffers every byte that the upstream could write beyond
// what the caller took is one that the proxy holds.
func TestASlowCallerSlowsTheUpstream(t *testing.T) {
	const most = 128 << 10 // for one stream: read buffer, copy buffer and write buffer are 16, 32 and 4 KiB
	for name, answer := range endless {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var poured atomic.Int64
				g := newBubble(t, pouring(answer[0], answer[1], committed, &poured), func(c *settings.Config) { c.Timeouts.StreamIdle = time.Hour })
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				_, _ = io.WriteString(conn, chatRequest)
				held := int64(0)
				if answer[0] == "application/json" {
					held = response.HoldAnswer // read before the answer is committed
				}
				taken, err := io.CopyN(io.Discard, conn, 100_000)
				if err != nil {
					t.Fatal(err)
				}
				for range 100 {
					synctest.Wait()
					if ahead := poured.Load() - taken; ahead > most+held {
						t.Fatalf("the upstream is %d bytes ahead of its caller", ahead)
					}
					time.Sleep(time.Minute) // the bubble's clock: slow, not stalled
					n, err := io.CopyN(io.Discard, conn, 50_000)
					if err != nil {
						t.Fatal(err)
					}
					taken += n
				}
				// A request's body is kept to the end where the answer overtook the news that it was written.
				if memory, _ := g.held(); memory > 1<<10 {
					t.Errorf("%d bytes are reserved for what was passed on long ago", memory)
				}
			})
		})
	}
}

func TestAStalledCallerIsEndedAfterTheIdleTimeout(t *testing.T) {
	for name, answer := range endless {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, pouring(answer[0], answer[1], committed, new(atomic.Int64)), func(c *settings.Config) { c.Timeouts.StreamIdle = time.Minute })
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				start := time.Now()
				_, _ = io.WriteString(conn, chatRequest)
				_, _ = io.CopyN(io.Discard, conn, 200_000)
				synctest.Wait()
				for g.inflight() > 0 {
					time.Sleep(time.Second) // the bubble's clock
				}
				if took := time.Since(start); took < time.Minute || took > 90*time.Second+committed {
					t.Errorf("ended after %s", took)
				}
				if log := g.log.String(); !strings.Contains(log, `"outcome":"canceled"`) {
					t.Errorf("the log says %s", log)
				}
			})
		})
	}
}

// What a handler has written last is sent by the server when it has returned.
func TestTheEndOfAnAnswerDoesNotWaitForACallerThatTakesNothing(t *testing.T) {
	tests := map[string]struct {
		request string
		size    int
		taken   int64
	}{
		"inline":  {chatRequest, response.HoldInline, 0},
		"held":    {chatRequest, 2 * response.HoldInline, 0},
		"in part": {chatRequest, 3 * response.HoldInline, 3*response.HoldInline - 6000}, // the buffers hold no more
		"HEAD":    {"HEAD /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", response.HoldInline, 0},
		"refused": {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, answers(200, strings.Repeat("1", tt.size), "Content-Length", strconv.Itoa(tt.size)),
					func(c *settings.Config) { c.Timeouts.StreamIdle = time.Minute })
				conn := g.dial()
				_ = conn.SetDeadline(time.Time{})
				_, _ = io.WriteString(conn, tt.request)
				_, _ = io.CopyN(io.Discard, conn, tt.taken)
				time.Sleep(time.Hour) // the bubble's clock
				if rest, err := io.ReadAll(conn); len(rest) > 0 || err != nil {
					t.Errorf("%d bytes came after an hour, %v", len(rest), err)
				}
				if g.inflight() != 0 {
					t.Error("the request still runs")
				}
			})
		})
	}
}

func TestAConnectionsDeadlineIsNotTheNextRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			time.Sleep(10 * time.Minute) // the bubble's clock
			if n%2 == 0 {
				w.WriteHeader(http.StatusEarlyHints)
			}
			answers(200, `{}`)(w, r, n)
		}, func(c *settings.Config) { c.Timeouts.StreamIdle, c.Timeouts.Total = time.Minute, time.Hour })
		conn := g.dial()
		_ = conn.SetDeadline(time.Time{})
		r := bufio.NewReader(conn)
		for range 4 {
			_, _ = io.WriteString(conn, chatRequest)
			resp, body := g.readAnswer(r, http.MethodPost)
			if resp.StatusCode == http.StatusEarlyHints {
				resp, body = g.readAnswer(r, http.MethodPost)
			}
			if resp.StatusCode != 200 || body != "{}" {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			time.Sleep(10 * time.Minute)
		}
	})
}

// One stream of a connection that its caller does not take ends alone.
func TestAStalledStreamDoesNotEndItsNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newConversation()
		var poured atomic.Int64
		pour := pouring("text/event-stream", delta("a"), committed, &poured)
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			if r.Header.Get("X-Endless") != "" {
				pour(w, r, n)
				return
			}
			v.script(w, r, n)
		}, func(c *settings.Config) { c.Timeouts.StreamIdle, c.Limit.Learn = time.Minute, false })
		conn := g.dial()
		_ = conn.SetDeadline(time.Time{})
		w := newH2Wire(conn)
		_, _ = io.WriteString(conn, h2Preface)
		frames := make(chan h2Frame, 1<<16)
		go func() {
			defer close(frames)
			for {
				f, err := w.read()
				if err != nil {
					return
				}
				frames <- f
			}
		}()
		_ = w.write(h2Frame{kind: frameSettings})
		// Room for the connection, none for the streams beyond their 64 KiB.
		_ = w.write(h2Frame{frameWindow, 0, 0, binary.BigEndian.AppendUint32(nil, 1<<30)})
		post := []string{":method: POST", ":scheme: http", ":authority: localhost", ":path: /v1/chat/completions", "content-type: application/json"}
		_ = w.headers(1, flagEndStream, append(post, "x-endless: 1")...)
		_ = w.headers(3, flagEndStream, post...)
		start := time.Now()
		var reset time.Duration
		var neighbour bytes.Buffer
		for i := range 600 {
			v.say <- delta("b")
			time.Sleep(time.Second) // the bubble's clock
			synctest.Wait()
			for len(frames) > 0 {
				switch f := <-frames; {
				case f.kind == frameReset && f.stream == 1 && reset == 0:
					reset = time.Since(start)
				case f.kind == frameReset || f.kind == frameGoAway:
					t.Fatalf("after %s: frame %+v", time.Since(start), f)
				case f.kind == frameData && f.stream == 3:
					neighbour.Write(f.payload)
				}
			}
			if want := strings.Repeat(delta("b"), i+1); neighbour.String() != want {
				t.Fatalf("after %d events the neighbour got %d bytes, want %d", i+1, neighbour.Len(), len(want))
			}
		}
		if reset < time.Minute || reset > 91*time.Second+committed {
			t.Errorf("the stalled stream was reset after %s", reset)
		}
		if poured.Load() > 256<<10 {
			t.Errorf("the upstream wrote %d bytes to a stream that takes 64 KiB", poured.Load())
		}
		v.over <- clean
		_ = conn.Close()
	})
}

// Towards an HTTP/2 upstream the stream's window bounds what is held for a caller that
// takes nothing: 256 KiB, not net/http's 4 MiB.
func TestAnHTTP2UpstreamIsSlowedByItsWindow(t *testing.T) {
	var poured atomic.Int64
	over := make(chan struct{})
	pour := pouring("audio/mpeg", "0123456789", 0, &poured)
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		pour(w, r, 1)
	}))
	upstream.EnableHTTP2 = true
	upstream.Config.ErrorLog = quietLog
	upstream.StartTLS()
	t.Cleanup(upstream.Close)
	g := newRigAt(t, upstream.URL, func(c *settings.Config) { c.Timeouts.StreamIdle = 500 * time.Millisecond })
	roots := upstream.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, transport := range []http.RoundTripper{g.proxy.gen().Upstreams[0].Pooled, g.proxy.gen().Upstreams[0].Fresh} {
		transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	conn := g.dial() // its window stays at 64 KiB
	_, _ = io.WriteString(conn, h2Preface)
	w := newH2Wire(conn)
	_ = w.write(h2Frame{kind: frameSettings})
	_ = w.headers(1, flagEndStream, ":method: POST", ":scheme: http", ":authority: localhost", ":path: /v1/audio/speech")
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	<-over // ended as stalled
	if n := poured.Load(); n > 512<<10 {
		t.Errorf("the upstream wrote %d bytes to a stream that takes 64 KiB", n)
	}
}
