package upstream

import (
	"cmp"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"outrigger/policy/preset"
	"outrigger/proxy/intercept"
	"outrigger/proxy/outward"
	"outrigger/proxy/settings"
)

// API is one upstream's API and how to call it.
type API struct {
	Config settings.Upstream
	// Pooled keeps connections. Fresh opens one per request, for creates over HTTP/1.1. Others
	// may take their place before the first call: tests trust their own servers in this way.
	Pooled, Fresh http.RoundTripper

	HTTP2    atomic.Bool // the pooled transport was seen to speak HTTP/2
	HTTP1    http1Only
	renewal  renewal
	Secrets  atomic.Pointer[secrets]
	auth     string // canonical name of the header for the key, if the user set it
	Preset   preset.Preset
	Home     int      // where its objects live
	foreign  bool     // callers' credentials do not go there, unless they ask for it by name
	own      []string // see settings.KeyHeaders
	Models   models
	Attempt  time.Duration // how long an attempt may be silent; 0 is no bound
	Connects connects
}

// NewAPI returns the API at u. first is the URL of the first upstream, and own are the headers
// that carry a key because the configuration says so.
func NewAPI(c settings.Config, u settings.Upstream, dial Dialer, proxies *outward.Proxies) *API {
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.Timeouts.Connect, KeepAlive: 15 * time.Second, Control: control}).DialContext
	}
	a := &API{
		Config: u, auth: http.CanonicalHeaderKey(u.AuthHeader), Preset: u.Preset(), Models: newModels(u.Models),
		Attempt: cmp.Or(u.AttemptTimeout, c.Timeouts.Attempt),
		foreign: !u.GetsCallerKey(c.Upstreams[0].URL), own: settings.KeyHeaders(c.Upstreams),
	}
	plain, via := u.URL.Scheme == "http", intercept.Outward(proxies, c.Callers.Listen)
	dial = a.Connects.measured(dial, endpointOf(u.URL))
	if socks, _ := via(&http.Request{URL: u.URL}); outward.IsSOCKS(socks) {
		dial, via = Dialer(outward.Through(socks, outward.Dialer(dial), c.Timeouts.Connect)), nil
	}
	a.Pooled = newTransport(dial, via, c.Timeouts.Connect, plain, false)
	a.Fresh = newTransport(dial, via, c.Timeouts.Connect, plain, true)
	if u.HTTP2 == settings.HTTP2Off {
		a.Pooled, a.Fresh = speakingHTTP1(a.Pooled), speakingHTTP1(a.Fresh)
	}
	a.Secrets.Store(NewSecrets(&u, nil))
	return a
}
