package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/settings"
	"outrigger/proxy/status"
)

// dialer connects to an address.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// rig is a proxy in front of a scripted upstream, both real servers on loopback.
type rig struct {
	t        testing.TB
	proxy    *Proxy
	front    *httptest.Server // nil in a bubble
	upstream *httptest.Server // nil when the test serves it
	url      string           // of the proxy
	client   *http.Client

	dialFront func(ctx context.Context, network, address string) (net.Conn, error) // nil: a real socket
	ways      map[string]dialer                                                    // in a bubble: to upstreams at other addresses
	behind    *wire                                                                // in a bubble: close it and the upstream is gone
	calls     atomic.Int64
	registry  *prometheus.Registry
	log       *logBuffer
}

// newRig starts both. script answers the upstream's calls, numbered from 1.
func newRig(t testing.TB, script func(w http.ResponseWriter, r *http.Request, call int), edits ...func(*settings.Config)) *rig {
	t.Helper()
	var g *rig
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		script(w, r, int(g.calls.Add(1)))
	}))
	upstream.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	upstream.Start()
	t.Cleanup(func() { // after the proxy's own
		upstream.CloseClientConnections()
		upstream.Close()
	})
	g = newRigAt(t, upstream.URL, edits...)
	g.upstream = upstream
	return g
}

// newRigAt starts a proxy in front of an upstream that the test serves itself.
func newRigAt(t testing.TB, upstream string, edits ...func(*settings.Config)) *rig {
	t.Helper()
	g := &rig{t: t, registry: prometheus.NewRegistry(), log: &logBuffer{}}
	g.front = httptest.NewUnstartedServer(nil)
	g.front.Config.ErrorLog = log.New(noPanics{t}, "", 0)
	config := testConfig(t, upstream)
	for _, edit := range edits {
		edit(&config)
	}
	p, err := New(config, Deps{Log: slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Registry: g.registry})
	if err != nil {
		t.Fatal(err)
	}
	g.proxy = p
	g.front.Config.Handler = p
	g.front.Config.MaxHeaderBytes = 128 << 10 // as cmd/outrigger sets it
	g.front.Config.Protocols = new(http.Protocols)
	g.front.Config.Protocols.SetHTTP1(true)
	g.front.Config.Protocols.SetUnencryptedHTTP2(true)
	g.front.Start()
	g.url, g.client = g.front.URL, g.front.Client()
	g.client.CheckRedirect = noRedirects
	g.client.Transport.(*http.Transport).DisableCompression = true
	t.Cleanup(func() {
		g.front.CloseClientConnections()
		g.front.Close()
		_ = p.Close()
	})
	return g
}

// noPanics takes a server's log and fails the test when its handler panicked.
type noPanics struct{ t testing.TB }

func (n noPanics) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("panic")) {
		n.t.Errorf("the handler panicked: %s", line)
	}
	return len(line), nil
}

// testConfig is the default configuration towards upstream, with waits that do
// not slow a test down.
func testConfig(t testing.TB, upstream string) settings.Config {
	t.Helper()
	c := DefaultConfig()
	u := DefaultUpstream()
	u.Name = "openai"
	var err error
	if u.URL, err = url.Parse(upstream); err != nil {
		t.Fatal(err)
	}
	c.Upstreams = []settings.Upstream{u}
	c.Retry.Max, c.Retry.Base, c.Retry.Cap = 4, time.Millisecond, 2*time.Millisecond
	c.Bodies.Dir = t.TempDir()
	return c
}

// do sends a request to the proxy and returns the answer with its body read.
func (g *rig) do(r *http.Request) (*http.Response, string) {
	g.t.Helper()
	resp, err := g.client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("reading the answer: %v", err)
	}
	return resp, string(body)
}

// request makes a request to the proxy with a key.
func (g *rig) request(method, path, body string) *http.Request {
	g.t.Helper()
	var src io.Reader
	if body != "" {
		src = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, g.url+path, src)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-test")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

const chatBody = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`

// chat sends a chat completion.
func (g *rig) chat() (*http.Response, string) {
	return g.do(g.request(http.MethodPost, "/v1/chat/completions", chatBody))
}

// errorCode returns the code of an error answer.
func errorCode(t testing.TB, body string) string {
	t.Helper()
	var e struct {
		Error struct{ Message, Type, Code string }
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("not an error answer: %q", body)
	}
	return e.Error.Code
}

// settle waits, in a bubble, until nothing goes on any more: a caller has its answer
// before the handler has noted how the request ended. Elsewhere: eventually.
func (g *rig) settle() {
	if g.front == nil {
		synctest.Wait()
	}
}

// inflight is the proxy's Inflight, once settled.
func (g *rig) inflight() int {
	g.settle()
	return g.proxy.Inflight()
}

// held is how many bytes of memory and of disk bodies take, once settled.
func (g *rig) held() (int64, int64) {
	g.settle()
	return g.proxy.gen().Bodies.Usage()
}

// status is the proxy's Status, once settled.
func (g *rig) status() status.Status {
	g.settle()
	return g.proxy.Status()
}

// logBuffer keeps the log. In a bubble it is read once all has settled.
type logBuffer struct {
	settled bool
	mu      sync.Mutex
	buf     bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	if b.settled {
		synctest.Wait()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
