// Package storm drives a whole Outrigger with its default configuration in front of a
// simulated upstream that is half broken, full, or away for a while, and sends the
// same calls straight to the same upstream as OpenAI's SDKs would. The network is in
// memory and time is virtual (testing/synctest), so that figures do not depend on the
// machine. With OUTRIGGER_TEST_REAL=1 the same storms run on loopback sockets in real time:
//
//	OUTRIGGER_TEST_REAL=1 go test -count=1 -v -timeout 30m -run 'Storm[A-E]' ./test/storm
//
// Every run logs one line: success, upstream calls per request, the time until the last
// answer, and the median and the 99th percentile of the times of successful calls.
package storm

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// inRealTime runs the storms on sockets.
var inRealTime = os.Getenv("OUTRIGGER_TEST_REAL") != ""

// near is a network like a data centre's.
var near = memnet.Latency{OneWay: 500 * time.Microsecond, Jitter: 1500 * time.Microsecond}

// quiet is the log of servers whose callers leave.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// wire is a network between one server and its callers. The server may close its
// listener and listen again.
type wire struct {
	latency memnet.Latency

	mu     sync.Mutex
	memory *memnet.Network
	addr   string // of the socket, in real time
}

func (w *wire) listen(addr string) (net.Listener, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !inRealTime {
		w.memory = memnet.New(w.latency)
		return w.memory, nil
	}
	if w.addr != "" {
		addr = w.addr
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err == nil {
		w.addr = l.Addr().String()
	}
	return l, err
}

// dial connects to the server, whatever the address.
func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	memory, socket := w.memory, w.addr
	w.mu.Unlock()
	if inRealTime {
		return new(net.Dialer).DialContext(ctx, "tcp", socket)
	}
	return memory.Dial(ctx, network, addr)
}

// rig is a simulated upstream, with Outrigger in front of it unless calls go straight.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	proxy  *proxy.Proxy // nil where calls go straight, or through a bare one
	log    *lines       // of the proxy
	client *client
	start  time.Time
}

// together lets the test run beside others, unless they would measure each other.
func together(t *testing.T) {
	t.Helper()
	if !inRealTime {
		t.Parallel()
	}
}

// play runs f against a fresh rig. way is the client with what it goes through.
func play(t *testing.T, upstream sim.Config, way way, f func(g *rig)) {
	t.Helper()
	if inRealTime {
		build(t, upstream, way, f)
		return
	}
	synctest.Test(t, func(t *testing.T) {
		build(t, upstream, way, f)
		time.Sleep(time.Second) // the bubble's clock: a server that closes first lingers
	})
}

func build(t *testing.T, upstream sim.Config, way way, f func(g *rig)) {
	t.Helper()
	behind := &wire{latency: near}
	upstream.Listen = behind.listen
	g := &rig{t: t, sim: sim.New(upstream), log: &lines{}}
	if _, err := g.sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	dial, stop := behind.dial, func() {}
	switch front := (&wire{}); {
	case way.bare:
		dial = front.dial
		stop = serve(t, front, bare(behind))
	case !way.straight:
		dial = front.dial
		g.proxy, stop = outrigger(t, front, behind, way.config, slog.New(g.log))
	}
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 5000, DisableCompression: true}
	g.client = newClient(way.model, &http.Client{Transport: transport}, upstream.Seed)
	g.start = time.Now()
	f(g)
	transport.CloseIdleConnections()
	stop()
	g.sim.Close()
}

// outrigger serves a proxy with its default configuration, changed by edit, on front. It logs to log.
// It returns it, and what ends it.
func outrigger(t *testing.T, front, behind *wire, edit func(*settings.Config), log *slog.Logger) (*proxy.Proxy, func()) {
	t.Helper()
	s, entry := config.ProxyDefaults(), config.UpstreamDefaults()
	entry.Name, entry.URL = "sim", &url.URL{Scheme: "http", Host: "127.0.0.1:9393"} // behind is dialled whatever the address
	s.Upstreams = []settings.Upstream{entry}
	s.Bodies.Dir = t.TempDir()
	if edit != nil {
		edit(&s)
	}
	p, err := proxy.New(s, proxy.Deps{Log: log, Registry: prometheus.NewRegistry(), Dial: behind.dial})
	if err != nil {
		t.Fatal(err)
	}
	end := serve(t, front, p)
	return p, func() {
		end()
		_ = p.Close()
	}
}

// bare is a proxy that does nothing else.
func bare(behind *wire) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "127.0.0.1:9393"})
		},
		Transport: &http.Transport{DialContext: behind.dial, MaxIdleConnsPerHost: 5000, IdleConnTimeout: 4 * time.Second, DisableCompression: true},
		ErrorLog:  quiet,
	}
}

// serve serves h on front, and returns what ends that.
func serve(t *testing.T, front *wire, h http.Handler) func() {
	t.Helper()
	listener, err := front.listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	return func() {
		_ = server.Close()
		<-served
		if r, ok := h.(*httputil.ReverseProxy); ok {
			r.Transport.(*http.Transport).CloseIdleConnections()
		}
	}
}
