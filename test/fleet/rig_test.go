package fleet

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/test/process"
)

// How the sidecars of a run go together; the zero value is over Redis.
const (
	apart = "apart" // without Redis
	one   = "one"   // a single sidecar, without Redis
)

var mode = os.Getenv("OUTRIGGER_TEST_FLEET_MODE")

// thought is how long the upstream takes for an answer that it does not refuse.
const thought = 20 * time.Millisecond

// longest bounds what a test waits for. It only matters when the test fails.
const longest = 90 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	process.Remove()
	os.Exit(code)
}

// rig is an upstream with a fleet in front of it.
type rig struct {
	t        *testing.T
	ctx      context.Context // bounds all calls
	sim      *sim.Sim
	redis    *redis
	sidecars []*sidecar
	client   *http.Client

	upstream string // its URL without /v1
	witness  *witness
}

// plan says what a rig is made of. The zero value is one sidecar with its defaults.
type plan struct {
	upstream    sim.Config
	says        func(http.Handler) http.Handler // changes what the upstream says; nil is nothing
	sidecars    int                             // 0 is 1
	environment []string                        // of each sidecar, over the rig's own
	redis       []string                        // arguments of redis-server
	preload     []string                        // environment of redis-server
	url         string                          // OUTRIGGER_REDIS_URL, "" is the rig's Redis
}

// newRig starts an upstream, a Redis and the sidecars, which are ready when it returns.
func newRig(t *testing.T, p plan) *rig {
	t.Helper()
	process.Binary(t) // built before the time runs
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	g := &rig{t: t, ctx: ctx, sim: sim.New(p.upstream), witness: watch(t)}
	var handler http.Handler = g.sim
	if p.says != nil {
		handler = p.says(handler)
	}
	server := httptest.NewServer(handler)
	g.upstream = server.URL
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}}
	t.Cleanup(func() {
		cancel()
		g.client.CloseIdleConnections()
		g.sim.Close()
		server.CloseClientConnections()
		server.Close()
	})
	environment := p.environment
	if mode == "" {
		url := p.url
		if url == "" {
			g.redis = startRedis(t, p.preload, p.redis...)
			url = "redis://" + g.redis.addr
		}
		if url != "none" {
			environment = append([]string{"OUTRIGGER_REDIS_URL=" + url}, environment...)
		}
	} else if p.url == "" {
		g.redis = startRedis(t, p.preload, p.redis...) // for the tests that take it away
	}
	if mode == one {
		g.join(1, environment...)
		for len(g.sidecars) < p.sidecars {
			g.sidecars = append(g.sidecars, g.sidecars[0])
		}
		return g
	}
	g.join(max(1, p.sidecars), environment...)
	return g
}

// join starts n more sidecars at once, waits until they are ready, and returns them.
func (g *rig) join(n int, environment ...string) []*sidecar {
	g.t.Helper()
	var joined []*sidecar
	for range n {
		joined = append(joined, startSidecar(g.t, g.upstream, environment...))
	}
	for _, s := range joined {
		s.Ready(g.t, s.admin+"/readyz")
	}
	g.sidecars = append(g.sidecars, joined...)
	g.witness.again()
	return joined
}

// sidecar is an outrigger process.
type sidecar struct {
	*process.Process
	base  string // of the traffic listener, with /v1
	admin string
}

// startSidecar starts a sidecar and does not wait until it is ready.
func startSidecar(t *testing.T, upstream string, environment ...string) *sidecar {
	t.Helper()
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	environment = append([]string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_UPSTREAMS=sim=" + upstream,
		"OUTRIGGER_SPOOL_DIR=" + t.TempDir(), "OUTRIGGER_LOG_LEVEL=warn", "OUTRIGGER_LOG_FORMAT=json",
	}, environment...)
	s := &sidecar{
		base: "http://" + traffic + "/v1", admin: "http://" + admin,
		Process: process.Start(t, environment, process.Binary(t)),
	}
	t.Cleanup(func() {
		for _, sign := range []string{"panic", "fatal error", "DATA RACE"} {
			if strings.Contains(s.Output(), sign) {
				t.Errorf("a sidecar's log has %q", sign)
			}
		}
	})
	return s
}

// wait waits, unless ctx ends first.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// within reports whether holds becomes true in time, and after how long.
func within(ctx context.Context, d time.Duration, holds func() bool) (time.Duration, bool) {
	for began := time.Now(); ; wait(ctx, 20*time.Millisecond) {
		if holds() {
			return time.Since(began), true
		}
		if time.Since(began) > d || ctx.Err() != nil {
			return time.Since(began), false
		}
	}
}
