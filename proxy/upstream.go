package proxy

import (
	"cmp"
	"log/slog"
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

// API is one upstream's API and how to call it.
type API struct {
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
	attempt  time.Duration // how long an attempt may be silent; 0 is no bound
	connects connects
}

// lane is an upstream with all that bounds the calls to it.
type lane struct {
	*API
	gate     *gate
	scopes   *scopes
	budget   *policy.Budget
	reserve  *policy.Reserve[credential]
	blame    *policy.Blame[credential]
	lines    *lines
	slots    *slots
	trips    *trips
	worked   *policy.Worked[lineKey]
	loadings loadings
	trends   *trends
	tidying  tidying
}

// newAPI returns the API at u. first is the URL of the first upstream, and own are the headers
// that carry a key because the configuration says so.
func newAPI(c Config, u Upstream, dial dialer, proxies *outward.Proxies) *API {
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.Timeouts.Connect, KeepAlive: 15 * time.Second, Control: control}).DialContext
	}
	a := &API{
		config: u, auth: http.CanonicalHeaderKey(u.AuthHeader), preset: u.Preset(), models: newModels(u.Models),
		attempt: cmp.Or(u.AttemptTimeout, c.Timeouts.Attempt),
		foreign: !u.GetsCallerKey(c.Upstreams[0].URL), own: keyHeaders(c.Upstreams),
	}
	plain, via := u.URL.Scheme == "http", intercept.Outward(proxies, c.Callers.Listen)
	dial = a.connects.measured(dial, endpointOf(u.URL))
	if socks, _ := via(&http.Request{URL: u.URL}); outward.IsSOCKS(socks) {
		dial, via = dialer(outward.Through(socks, outward.Dialer(dial), c.Timeouts.Connect)), nil
	}
	a.pooled = newTransport(dial, via, c.Timeouts.Connect, plain, false)
	a.fresh = newTransport(dial, via, c.Timeouts.Connect, plain, true)
	if u.HTTP2 == HTTP2Off {
		a.pooled, a.fresh = speakingHTTP1(a.pooled), speakingHTTP1(a.fresh)
	}
	a.secrets.Store(newSecrets(&u, nil))
	return a
}

func newLane(c Config, api *API, recorder Recorder, now time.Time) *lane {
	u := &api.config
	alone := len(c.Upstreams) == 1 || !c.Failover.On(policy.FailoverBreaker)
	learns := c.Concurrency != ConcurrencyOff
	settings := c.Limit
	settings.RPM, settings.TPM = cmp.Or(u.RPM, settings.RPM), cmp.Or(u.TPM, settings.TPM)
	settings.Longest = c.Retry.AfterMax
	up := &lane{
		API:     api,
		budget:  policy.NewBudget(c.Retry.Budget, now),
		reserve: policy.NewReserve[credential](maxBlamed),
		blame:   policy.NewBlame[credential](maxBlamed),
		gate:    newGate(c.Breaker, alone),
		scopes:  newScopes(c.Breaker, alone),
		trips:   newTrips(c.TripCooldown),
		trends:  newTrends(),
		worked:  policy.NewWorked[lineKey](maxWorked),
		lines:   newLines(settings),
		slots:   newSlots(cmp.Or(u.MaxInflight, c.MaxInflight), settings.QueueMax, learns),
	}
	up.lines.concurrency = learns
	up.lines.room = lineRoom / len(c.Upstreams)
	up.lines.connect = api.connects.shortest
	if mayShare(settings) {
		up.lines.siblings = newSiblings(func(message string, fields []slog.Attr) {
			recorder.Notice(Notice{slog.LevelInfo, message, fields})
		}, u.Name, now)
	}
	up.tidying.tidy = up.tidy
	return up
}

// isOpen reports whether the upstream's breaker, or that of a scope there, is not closed.
func (u *lane) isOpen(s scope) bool {
	if u.gate.breaker.State() != policy.Closed {
		return true
	}
	g := u.scopes.of(s)
	return g != nil && g.breaker.State() != policy.Closed
}

// close ends what outlives requests.
func (u *lane) close() {
	u.gate.stop()
	u.scopes.stop()
	u.slots.stop()
	u.tidying.stop()
	u.closeConnections()
}
