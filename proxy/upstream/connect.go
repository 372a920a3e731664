package upstream

import (
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"outrigger/proxy/intercept"
	"outrigger/proxy/outward"
	"outrigger/proxy/settings"
)

// Connections are those to one upstream, and what they taught. The APIs of several
// generations share them. Safe for concurrent use.
type Connections struct {
	// Pooled keeps connections. Fresh opens one per request, for creates over HTTP/1.1. Others
	// may take their place before the first call: tests trust their own servers in this way.
	Pooled, Fresh http.RoundTripper

	HTTP2    atomic.Bool // the pooled transport was seen to speak HTTP/2
	HTTP1    http1Only
	Connects connects
	renewal  renewal
	manner   manner
	users    atomic.Int64 // APIs that have them
}

// manner is how connections are made.
type manner struct {
	url     string
	connect time.Duration
	http2   settings.HTTP2Mode
	proxies *outward.Proxies
	listen  string
}

// newConnections returns connections to u that have one user.
func newConnections(how manner, u *url.URL, dial Dialer) *Connections {
	if dial == nil {
		dial = (&net.Dialer{Timeout: how.connect, KeepAlive: 15 * time.Second, Control: control}).DialContext
	}
	c := &Connections{manner: how}
	c.users.Store(1)
	plain, via := u.Scheme == "http", intercept.Outward(how.proxies, how.listen)
	dial = c.Connects.measured(dial, endpointOf(u))
	if socks, _ := via(&http.Request{URL: u}); outward.IsSOCKS(socks) {
		dial, via = Dialer(outward.Through(socks, outward.Dialer(dial), how.connect)), nil
	}
	c.Pooled = newTransport(dial, via, how.connect, plain, false)
	c.Fresh = newTransport(dial, via, how.connect, plain, true)
	if how.http2 == settings.HTTP2Off {
		c.Pooled, c.Fresh = speakingHTTP1(c.Pooled), speakingHTTP1(c.Fresh)
	}
	return c
}

// Release ends an API's use of them, and closes those that are idle once it was the last.
func (c *Connections) Release() {
	if c.users.Add(-1) == 0 {
		c.CloseConnections()
	}
}
