package proxy

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/preset"
	"outrigger/proxy/intercept"
	"outrigger/proxy/outward"
)

// maxBlamed bounds the credentials of one upstream whose failures and retries are told apart.
const maxBlamed = 1024

// upstream is one configured upstream with all its state.
type upstream struct {
	config   Upstream
	pooled   http.RoundTripper // keeps connections
	fresh    http.RoundTripper // one connection per request, for creates over HTTP/1.1
	http2    atomic.Bool       // the pooled transport was seen to speak HTTP/2
	http1    http1Only
	renewal  renewal
	secrets  atomic.Pointer[secrets]
	auth     string // canonical name of the header for the key, if the user set it
	preset   preset.Preset
	home     int      // where its objects live
	foreign  bool     // callers' credentials do not go there, unless they ask for it by name
	own      []string // see keyHeaders
	models   models
	gate     *gate
	scopes   *scopes
	budget   *policy.Budget
	reserve  *policy.Reserve[credential]
	blame    *policy.Blame[credential]
	lines    *lines
	slots    *slots
	attempt  time.Duration // how long an attempt may be silent; 0 is no bound
	trips    *trips
	worked   *policy.Worked[lineKey]
	loadings loadings
	trends   *trends
	metrics  *upstreamMetrics
	tidying  tidying
}

func newUpstream(c Config, u Upstream, d Deps, m *metrics, now time.Time) *upstream {
	dial, log := dialer(d.Dial), d.Log
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.Timeouts.Connect, KeepAlive: 15 * time.Second, Control: control}).DialContext
	}
	plain, via := u.URL.Scheme == "http", intercept.Outward(d.Proxies, c.Callers.Listen)
	alone := len(c.Upstreams) == 1 || !c.Failover.On(policy.FailoverBreaker)
	up := &upstream{
		config:  u,
		auth:    http.CanonicalHeaderKey(u.AuthHeader),
		preset:  u.Preset(),
		models:  newModels(u.Models),
		budget:  policy.NewBudget(c.Retry.Budget, now),
		reserve: policy.NewReserve[credential](maxBlamed),
		blame:   policy.NewBlame[credential](maxBlamed),
		gate:    newGate(c.Breaker, alone),
		scopes:  newScopes(c.Breaker, alone),
		trips:   newTrips(c.TripCooldown),
		trends:  newTrends(),
		worked:  policy.NewWorked[lineKey](maxWorked),

		attempt: c.Timeouts.Attempt,
	}
	if u.AttemptTimeout > 0 {
		up.attempt = u.AttemptTimeout
	}
	settings, inflight := c.Limit, c.MaxInflight
	if u.RPM > 0 {
		settings.RPM = u.RPM
	}
	if u.TPM > 0 {
		settings.TPM = u.TPM
	}
	if u.MaxInflight > 0 {
		inflight = u.MaxInflight
	}
	learns := c.Concurrency != ConcurrencyOff
	settings.Longest = c.Retry.AfterMax
	up.lines = newLines(settings)
	up.lines.concurrency = learns
	up.lines.room = lineRoom / len(c.Upstreams)
	up.tidying.tidy = up.tidy
	dial = up.lines.connects.measured(dial, endpointOf(u.URL))
	if socks, _ := via(&http.Request{URL: u.URL}); outward.IsSOCKS(socks) {
		dial, via = dialer(outward.Through(socks, outward.Dialer(dial), c.Timeouts.Connect)), nil
	}
	up.pooled = newTransport(dial, via, c.Timeouts.Connect, plain, false)
	up.fresh = newTransport(dial, via, c.Timeouts.Connect, plain, true)
	if u.HTTP2 == HTTP2Off {
		up.pooled, up.fresh = speakingHTTP1(up.pooled), speakingHTTP1(up.fresh)
	}
	if mayShare(settings) {
		up.lines.siblings = newSiblings(log, u.Name, now)
	}
	up.slots = newSlots(inflight, settings.QueueMax, learns)
	up.secrets.Store(newSecrets(&u, nil))
	up.metrics = m.upstream(u.Name)
	up.foreign = !u.GetsCallerKey(c.Upstreams[0].URL)
	up.own = keyHeaders(c.Upstreams)
	return up
}

// isOpen reports whether the upstream's breaker, or that of a scope there, is not closed.
func (u *upstream) isOpen(s scope) bool {
	if u.gate.breaker.State() != policy.Closed {
		return true
	}
	g := u.scopes.of(s)
	return g != nil && g.breaker.State() != policy.Closed
}

// close ends what outlives requests.
func (u *upstream) close() {
	u.gate.stop()
	u.scopes.stop()
	u.slots.stop()
	u.tidying.stop()
	u.closeConnections()
}
