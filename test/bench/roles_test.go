package bench

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/jsonlog"
	"outrigger/internal/resources"
	"outrigger/internal/values"
	"outrigger/proxy"
	"outrigger/proxy/settings"
	"outrigger/test/bench/traffic"
)

const (
	bare      = "bare"
	outrigger = "outrigger"
	inFleet   = "fleet" // outrigger that shares its limits
)

// These variables are for BenchmarkFleet: the server, and what is known of the upstream's limits.
const (
	redisVariable = "BENCH_REDIS"
	limitVariable = "BENCH_LIMIT"
)

var roles = map[string]func(upstream *url.URL) (http.Handler, error){
	bare:      newBare,
	outrigger: newOutrigger,
	inFleet:   newInFleet,
}

func newBare(upstream *url.URL) (http.Handler, error) { return traffic.Bare(upstream), nil }

// newOutrigger is the whole proxy as the binary serves it by default: every setting
// at its default, metrics registered, one line of JSON per request to a pipe.
func newOutrigger(upstream *url.URL) (http.Handler, error) {
	return newProxy(upstream, settings.Fleet{})
}

// newInFleet is that with OUTRIGGER_REDIS_URL.
func newInFleet(upstream *url.URL) (http.Handler, error) {
	return newProxy(upstream, settings.Fleet{URL: values.NewSecret(os.Getenv(redisVariable))})
}

func newProxy(upstream *url.URL, fleet settings.Fleet) (http.Handler, error) {
	resources.PaceCollector() // as the process does
	s, entry := config.ProxyDefaults(), config.UpstreamDefaults()
	entry.Name, entry.URL = "openai", upstream
	if os.Getenv(limitVariable) == "configured" {
		entry.RPM = 10_000_000
	}
	s.Upstreams = []settings.Upstream{entry}
	fleet.Fail = s.Fleet.Fail
	s.Fleet = fleet
	return proxy.New(s, proxy.Deps{
		Log:      slog.New(jsonlog.NewHandler(jsonlog.NewWriter(os.Stderr), slog.LevelInfo)),
		Registry: prometheus.NewRegistry(),
	})
}
