package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds what a test waits for on a real socket, so that a bug fails
// the test and not the whole run.
const patience = 30 * time.Second

// rawUpstream is an upstream that a test scripts byte for byte.
type rawUpstream struct {
	URL      string
	requests atomic.Int64 // read whole, without those for goodPath
	conns    atomic.Int64

	mu    sync.Mutex
	open  []net.Conn
	over  bool
	tasks sync.WaitGroup
}

// goodPath is answered well by every rawUpstream: another caller's request.
const goodPath = "/v1/models/good"

// rawConn is one connection of it.
type rawConn struct {
	net.Conn
	r *bufio.Reader
	n int // 1 for the first connection
}

// reset closes the connection with a RST instead of a FIN.
func (c *rawConn) reset() {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// say writes text as it is.
func (c *rawConn) say(text string) { _, _ = io.WriteString(c, text) }

// newRawUpstream starts one. script answers a request, numbered from 1; the
// connection goes on only if it returns true.
func newRawUpstream(t testing.TB, script func(c *rawConn, r *http.Request, call int) bool) *rawUpstream {
	t.Helper()
	u := &rawUpstream{}
	u.serve(t, func(c *rawConn) {
		for {
			r, err := http.ReadRequest(c.r)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			if r.URL.Path == goodPath {
				c.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
				continue
			}
			if !script(c, r, int(u.requests.Add(1))) {
				return
			}
		}
	})
	return u
}

// serve runs script on each connection, which ends with it.
func (u *rawUpstream) serve(t testing.TB, script func(c *rawConn)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.URL = "http://" + listener.Addr().String()
	u.tasks.Add(1)
	go func() {
		defer u.tasks.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c := &rawConn{Conn: conn, r: bufio.NewReader(conn), n: int(u.conns.Add(1))}
			u.mu.Lock()
			u.open = append(u.open, conn)
			if u.over {
				_ = conn.Close()
			}
			u.mu.Unlock()
			u.tasks.Add(1)
			go func() {
				defer u.tasks.Done()
				defer c.Close()
				script(c)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		u.mu.Lock()
		u.over = true
		for _, c := range u.open {
			_ = c.Close()
		}
		u.mu.Unlock()
		u.tasks.Wait()
	})
}

// dial connects to the proxy.
func (g *rig) dial() net.Conn {
	g.t.Helper()
	dial := g.dialFront
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(context.Background(), "tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// raw writes text on a connection of its own and reads one answer to it.
func (g *rig) raw(text string) (*http.Response, string) {
	g.t.Helper()
	conn := g.dial()
	go func() { _, _ = io.WriteString(conn, text) }()
	return g.readAnswer(bufio.NewReader(conn), http.MethodPost)
}

// readAnswer reads one answer to a request of that method.
func (g *rig) readAnswer(r *bufio.Reader, method string) (*http.Response, string) {
	g.t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		g.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("reading the answer: %v", err)
	}
	return resp, string(body)
}

// works shows that other callers are served.
func (g *rig) works() {
	g.t.Helper()
	resp, body := g.do(g.request(http.MethodGet, goodPath, ""))
	if resp.StatusCode != http.StatusOK || body != "good" {
		g.t.Errorf("another caller's request got %d %q", resp.StatusCode, body)
	}
}
