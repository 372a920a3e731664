package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/proxy"
	"outrigger/proxy/firstbyte"
	"outrigger/proxy/intercept"
)

// traffic is what the traffic listener serves: requests and, where they are
// intercepted, tunnels. A drain sees to both.
type traffic struct {
	http.Handler
	requests *proxy.Proxy
	tunnels  *intercept.Handler // nil without HTTPS_PROXY mode
}

// newTraffic puts the tunnels in front of requests, if they are wanted.
func newTraffic(requests *proxy.Proxy, listener *firstbyte.Listener, cfg *config.Config, log *slog.Logger, registry prometheus.Registerer) (*traffic, error) {
	t := &traffic{Handler: requests, requests: requests}
	if !cfg.Callers.Intercept {
		return t, nil
	}
	targets := make([]string, len(cfg.Upstreams))
	for i, u := range cfg.Upstreams {
		targets[i] = intercept.Authority(u.URL)
	}
	var err error
	t.tunnels, err = intercept.New(intercept.Options{
		Next:     requests,
		Targets:  targets,
		Offer:    listener.Offer,
		Knows:    requests.Knows,
		Listen:   listener.Addr().String(),
		Proxies:  cfg.Proxies,
		Connect:  cfg.Timeouts.Connect,
		Log:      log,
		Registry: registry,
	})
	t.Handler = t.tunnels
	return t, err
}

// withTarget lets the requests of a connection that was a tunnel know its target, and
// the token it was opened with.
func withTarget(ctx context.Context, c net.Conn) context.Context {
	if target := firstbyte.TargetOf(c); target != "" {
		return intercept.WithToken(intercept.WithTarget(ctx, target), firstbyte.TokenOf(c))
	}
	return ctx
}

// Drain refuses every new request and tunnel from now on.
func (t *traffic) Drain() {
	t.requests.Drain()
	if t.tunnels != nil {
		t.tunnels.Drain()
	}
}

// TurnAway refuses those that wait and would get their turn after until.
func (t *traffic) TurnAway(until time.Time) { t.requests.TurnAway(until) }

// Inflight is the number of requests and tunnels that are worth waiting for.
func (t *traffic) Inflight() int {
	if t.tunnels == nil {
		return t.requests.Inflight()
	}
	return t.requests.Inflight() + t.tunnels.Inflight()
}

// Cancel ends all that still runs, with cause.
func (t *traffic) Cancel(cause error) {
	t.requests.Cancel(cause)
	if t.tunnels != nil {
		t.tunnels.Cancel()
	}
}

// Close ends the tunnels, which no server knows of.
func (t *traffic) Close() {
	if t.tunnels != nil {
		t.tunnels.Close()
	}
}
