package upstream

import (
	"net/http"
	"net/url"
	"time"
)

// newTransport returns the transport towards one upstream. Each figure answers a
// way in which the defaults of net/http were seen to fail such a proxy.
//
// A fresh transport keeps no connection: creates over HTTP/1.1 use it, because a
// kept one that the server closes at the same moment gives an EOF after the
// request was written, and nobody can tell then whether it was carried out.
func newTransport(dial Dialer, via func(*http.Request) (*url.URL, error), connect time.Duration, plain, fresh bool) *http.Transport {
	// Below what servers keep idle connections for: 60 s and more behind TLS
	// load balancers, 5 s at a plain Node server (http.Server.keepAliveTimeout).
	idle := 45 * time.Second
	if plain {
		idle = 4 * time.Second
	}
	return &http.Transport{
		Proxy:               via,
		DialContext:         heard(dial),
		TLSHandshakeTimeout: connect,
		ForceAttemptHTTP2:   true, // a dialer of one's own switches HTTP/2 off otherwise
		DisableKeepAlives:   fresh,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 1024, // the default of 2 reopens a connection for nearly every call of a burst
		IdleConnTimeout:     idle,
		// The transport would add gzip and decode it: no longer the upstream's bytes.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
		HTTP2: &http.HTTP2Config{
			// Off by default: a dead connection then eats requests for minutes (golang/go#36026).
			SendPingTimeout: 15 * time.Second,
			PingTimeout:     10 * time.Second,
			// 4 MiB by default, which every slow caller could pin.
			MaxReceiveBufferPerStream: 256 << 10,
		},
	}
}

// speakingHTTP1 returns a transport like t that speaks HTTP/1.1 only.
func speakingHTTP1(t http.RoundTripper) http.RoundTripper {
	like, ok := t.(*http.Transport)
	if !ok {
		return t
	}
	c := like.Clone()
	c.ForceAttemptHTTP2 = false
	c.Protocols = new(http.Protocols)
	c.Protocols.SetHTTP1(true)
	if c.TLSClientConfig != nil { // the clone has what was added to it for HTTP/2
		c.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return c
}
