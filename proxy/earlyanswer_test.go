package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// early are answers that are known before the request's body has come.
var early = map[string]struct {
	edit     func(*settings.Config)
	upstream script
	status   int
	code     string
}{
	"a body too large": {func(c *settings.Config) { c.Bodies.BodyMax = 1 << 20 }, good, 413, "request_too_large"},
	"no token":         {func(c *settings.Config) { c.Callers.Tokens = []values.Secret{values.NewSecret("t")} }, good, 401, "client_token_required"},
	"no room": {func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 64<<10, 0 }, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Connection", "close")
		answers413(w)
	}, 413, "too_large"},
	"a dead key, and no room": {func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 64<<10, 0 }, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(401)
		_, _ = io.WriteString(w, `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`)
	}, 401, "invalid_api_key"},
}

func answers413(w http.ResponseWriter) {
	const body = `{"error":{"message":"too large","type":"invalid_request_error","code":"too_large"}}`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(413)
	_, _ = io.WriteString(w, body)
}

// Many clients look for an answer only when they have sent all. Such a caller, in
// plain blocking calls, sends 16 MiB and then reads.
func TestAnEarlyAnswerReachesACallerThatSendsAllFirst(t *testing.T) {
	const size = 16 << 20
	for name, tt := range early {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%t", name, chunked), func(t *testing.T) {
				t.Parallel() // each ends with half a second in which net/http lingers
				g := newRig(t, tt.upstream, tt.edit)
				conn := g.dial()
				framing := fmt.Sprintf("Content-Length: %d", size)
				if chunked {
					framing = "Transfer-Encoding: chunked"
				}
				_, _ = fmt.Fprintf(conn, "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", framing)
				piece := strings.Repeat("x", 1<<16)
				if chunked {
					piece = "10000\r\n" + piece + "\r\n"
				}
				for range size >> 16 {
					if _, err := io.WriteString(conn, piece); err != nil {
						t.Fatalf("sending was refused: %v", err)
					}
				}
				if chunked {
					_, _ = io.WriteString(conn, "0\r\n\r\n")
				}
				resp, body := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
				if resp.StatusCode != tt.status || errorCode(t, body) != tt.code || !resp.Close {
					t.Errorf("got %d %s, close %t", resp.StatusCode, body, resp.Close)
				}
			})
		}
	}
}

// A caller that pauses in the middle hears at once, and not when it has sent all.
func TestAnEarlyAnswerIsToldAtOnce(t *testing.T) {
	for name, tt := range early {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%t", name, chunked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, tt.upstream, tt.edit)
					conn := g.dial()
					_ = conn.SetDeadline(time.Time{})
					head := "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n"
					half := strings.Repeat("x", 2<<20)
					start := time.Now()
					go func() {
						if chunked {
							_, _ = fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(half), half)
						} else {
							_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, 64<<20, half)
						}
					}()
					resp, body := g.readAnswer(bufio.NewReader(conn), http.MethodPost)
					if resp.StatusCode != tt.status || errorCode(t, body) != tt.code || !resp.Close {
						t.Errorf("got %d %s, close %t", resp.StatusCode, body, resp.Close)
					}
					if took := time.Since(start); took > 0 {
						t.Errorf("told after %s", took)
					}
					time.Sleep(restGrace + time.Second) // the bubble's clock
					if g.inflight() != 0 {
						t.Error("the request goes on")
					}
					if _, err := conn.Read(make([]byte, 1)); err == nil {
						t.Error("the connection is still open")
					}
				})
			})
		}
	}
}

// And over HTTP/2, where the rest is refused without a word.
func TestAnEarlyAnswerEndsTheBodyOverHTTP2(t *testing.T) {
	for name, tt := range early {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, tt.upstream, tt.edit)
			body, sending := io.Pipe()
			go func() {
				piece := make([]byte, 1<<16)
				for {
					if _, err := sending.Write(piece); err != nil {
						return
					}
				}
			}()
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/files", body)
			resp, err := g.h2().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			_ = body.Close()
			if resp.StatusCode != tt.status || errorCode(t, string(text)) != tt.code || err != nil {
				t.Errorf("got %d %s %v", resp.StatusCode, text, err)
			}
			eventually(t, "the end", func() bool { return g.inflight() == 0 })
		})
	}
}

// A caller that sends for ever is not listened to for ever.
func TestARefusedCallerThatSendsOnIsCutOff(t *testing.T) {
	g := newRig(t, good, early["a body too large"].edit)
	conn := g.dial()
	_, _ = io.WriteString(conn, "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
	piece := "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
	for {
		if _, err := io.WriteString(conn, piece); err != nil {
			if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				t.Error(err)
			}
			break
		}
	}
	eventually(t, "the end", func() bool { return g.inflight() == 0 })
	g.works()
}
