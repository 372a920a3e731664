package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/settings"
)

// wire is a network without sockets, for synctest bubbles: a listener, and the
// dialling of it.
type wire struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newWire() *wire { return &wire{conns: make(chan net.Conn), done: make(chan struct{})} }

// dial connects, and refuses once the listener is closed.
func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case w.conns <- far:
		return pipe{near}, nil
	case <-w.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipe fails as a socket does that its peer has closed.
type pipe struct{ net.Conn }

func (p pipe) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "pipe", Err: syscall.EPIPE}
	}
	return n, err
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.done) })
	return nil
}

func (w *wire) Addr() net.Addr { return wireAddr{} }

type wireAddr struct{}

func (wireAddr) Network() string { return "pipe" }
func (wireAddr) String() string  { return "127.0.0.1:8383" }

// newBubble starts a rig without sockets, with real HTTP servers on both sides,
// for use inside a synctest bubble: all of its time is the bubble's.
func newBubble(t *testing.T, script func(w http.ResponseWriter, r *http.Request, call int), edits ...func(*settings.Config)) *rig {
	t.Helper()
	g := &rig{t: t, registry: prometheus.NewRegistry(), log: &logBuffer{settled: true}, url: "http://127.0.0.1:8383"}
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	behind, before := newWire(), newWire()
	upstreamVal := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		script(w, r, int(g.calls.Add(1)))
	})}
	config := testConfig(t, "http://upstream.test")
	for _, edit := range edits {
		edit(&config)
	}
	g.ways = map[string]dialer{}
	p, err := New(config, Deps{
		Log: slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Registry: g.registry,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if way := g.ways[address]; way != nil {
				return way(ctx, network, address)
			}
			return behind.dial(ctx, network, address)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.proxy, g.dialFront, g.behind = p, before.dial, behind
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	front := &http.Server{ErrorLog: log.New(noPanics{t}, "", 0), Handler: p, Protocols: protocols}
	transport := &http.Transport{DialContext: before.dial, DisableCompression: true}
	g.client = &http.Client{Transport: transport, CheckRedirect: noRedirects}
	go func() { _ = upstreamVal.Serve(behind) }()
	go func() { _ = front.Serve(before) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = front.Close()
		_ = p.Close()
		_ = upstreamVal.Close()
		time.Sleep(time.Second) // the bubble's clock: a server that closes first lingers for half of that
	})
	return g
}

// noRedirects hands a redirect to the test instead of following it.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
