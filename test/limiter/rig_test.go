// Package limiter drives a whole Outrigger, with real HTTP servers and transports,
// in front of the simulated upstream's limits. The network is in memory and all time
// is virtual (testing/synctest), so that its figures do not depend on the machine.
package limiter

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// near is a network like a data centre's.
var near = memnet.Latency{OneWay: 500 * time.Microsecond, Jitter: 1500 * time.Microsecond}

// far is one with round trips of 200 ms.
var far = memnet.Latency{OneWay: 100 * time.Millisecond, Jitter: 1500 * time.Microsecond}

// quiet is the log of servers whose callers leave.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// upstreamURL never leaves the process: every dial goes to the network in memory.
var upstreamURL = &url.URL{Scheme: "http", Host: "127.0.0.1:9393"}

// rig is a simulated upstream with a proxy in front of it.
type rig struct {
	t      *testing.T
	sim    *sim.Sim
	proxy  *proxy.Proxy
	behind *memnet.Network // between proxy and upstream
	client *http.Client
	start  time.Time
	said   journal
}

// bubble runs f against a fresh rig in virtual time, phase after a whole second.
func bubble(t *testing.T, upstream sim.Config, network memnet.Latency, phase time.Duration, f func(g *rig)) {
	t.Helper()
	bubbleBehind(t, upstream, network, phase, func(s http.Handler) http.Handler { return s }, f)
}

// bubbleBehind is bubble with something in front of the upstream that changes what it says.
func bubbleBehind(t *testing.T, upstream sim.Config, network memnet.Latency, phase time.Duration, says func(http.Handler) http.Handler, f func(g *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &rig{t: t, sim: sim.New(upstream), behind: memnet.New(network)}
		far := &http.Server{Handler: says(g.sim), ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
		go func() { _ = far.Serve(g.behind) }()
		s, entry := config.ProxyDefaults(), config.UpstreamDefaults()
		entry.Name, entry.URL = "sim", upstreamURL
		s.Upstreams = []settings.Upstream{entry}
		s.Bodies.Dir = t.TempDir()
		p, err := proxy.New(s, proxy.Deps{Log: slog.New(slog.NewTextHandler(&g.said, &slog.HandlerOptions{Level: slog.LevelInfo})), Registry: prometheus.NewRegistry(), Dial: g.behind.Dial})
		if err != nil {
			t.Fatal(err)
		}
		g.proxy = p
		stop := g.serve(p)
		time.Sleep(phase) // the bubble's clock
		g.start = time.Now()
		f(g)
		g.client.CloseIdleConnections()
		stop()
		_ = p.Close()
		_ = far.Close()
		g.sim.Close()
		time.Sleep(time.Second) // the bubble's clock: a server that closes first lingers
	})
}

// serve puts a handler in front of the client, and returns what stops it.
func (g *rig) serve(handler http.Handler) func() {
	front := memnet.New(memnet.Latency{})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	go func() { _ = server.Serve(front) }()
	g.client = &http.Client{Transport: &http.Transport{DialContext: front.Dial, MaxIdleConnsPerHost: 2000, DisableCompression: true}}
	return func() { _ = server.Close() }
}

// bare is the same upstream behind a plain reverse proxy. stop ends it.
func (g *rig) bare() (*rig, func()) {
	transport := &http.Transport{DialContext: g.behind.Dial, MaxIdleConnsPerHost: 1024}
	b := &rig{t: g.t, sim: g.sim, behind: g.behind, start: time.Now()}
	stop := b.serve(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstreamURL) },
		FlushInterval: -1,
		Transport:     transport,
	})
	return b, func() {
		b.client.CloseIdleConnections()
		stop()
		transport.CloseIdleConnections()
	}
}

// call is one request of a load.
type call struct {
	at     time.Duration // after the rig's start
	key    string        // "" is sk-test
	path   string        // "" is a chat completion
	model  string        // "" is gpt-4o-mini
	tokens int           // max_tokens, 0 is none
	stream bool
	images int
	// timeout is what the caller announces as its own, in seconds; "" is nothing.
	timeout string
}

// answered is what came of it.
type answered struct {
	status int
	body   string
	took   time.Duration
	header http.Header
}

// do makes one call. id tells it from all others in the upstream's ledger.
func (g *rig) do(ctx context.Context, id string, c call) answered {
	body := map[string]any{"model": "gpt-4o-mini"}
	path := "/v1/chat/completions"
	if c.model != "" {
		body["model"] = c.model
	}
	if c.path != "" {
		path = c.path
	}
	switch {
	case c.images > 0:
		body["prompt"], body["n"] = id, c.images
	default:
		body["messages"] = []map[string]string{{"role": "user", "content": id}}
	}
	if c.tokens > 0 {
		body["max_tokens"] = c.tokens
	}
	if c.stream {
		body["stream"] = true
	}
	text, err := json.Marshal(body)
	if err != nil {
		g.t.Error(err)
		return answered{}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:8383"+path, strings.NewReader(string(text)))
	if err != nil {
		g.t.Error(err)
		return answered{}
	}
	key := "sk-test"
	if c.key != "" {
		key = c.key
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Sim-Request", id)
	if c.timeout != "" {
		r.Header.Set("X-Stainless-Timeout", c.timeout)
	}
	sent := time.Now()
	resp, err := g.client.Do(r)
	if err != nil {
		return answered{body: err.Error(), took: time.Since(sent)}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return answered{body: err.Error(), took: time.Since(sent)}
	}
	return answered{resp.StatusCode, string(answer), time.Since(sent), resp.Header}
}

// outcome is what became of a load.
type outcome struct {
	answers  []answered // in the order of the calls
	ok       int
	makespan time.Duration   // until the last answer
	let      []time.Duration // when those that the upstream let through reached it, in order
	refused  []time.Duration // and those that it refused
}

// send makes all calls, each at its time, and waits for their answers. name tells
// the load from others of the same rig.
func (g *rig) send(name string, calls []call) outcome {
	g.t.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	o := outcome{answers: make([]answered, len(calls))}
	for i, c := range calls {
		wg.Go(func() {
			time.Sleep(c.at) // the bubble's clock
			o.answers[i] = g.do(context.Background(), name+strconv.Itoa(i), c)
		})
	}
	wg.Wait()
	o.makespan = time.Since(start)
	failed := 0
	for i, a := range o.answers {
		if a.status == http.StatusOK {
			o.ok++
		} else if failed++; failed <= 3 {
			g.t.Logf("call %s%d: %d %.300s", name, i, a.status, a.body)
		}
	}
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		if !strings.HasPrefix(e.Request, name) {
			continue
		}
		if e.Status == http.StatusTooManyRequests {
			o.refused = append(o.refused, e.Time.Sub(start))
		} else {
			o.let = append(o.let, e.Time.Sub(start))
		}
	}
	slices.Sort(o.let)
	slices.Sort(o.refused)
	return o
}

// burst is n calls at once.
func burst(n int) []call { return make([]call, n) }

// hold fails the test where got is over most, and logs the figure.
func hold(t *testing.T, what string, got, most float64) {
	t.Helper()
	t.Logf("%s: %.3f (at most %.3f)", what, got, most)
	if got > most {
		t.Errorf("%s is %.3f, want at most %.3f", what, got, most)
	}
}
