package traffic

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Bare is what one would write without Outrigger: a reverse proxy that someone took the
// trouble to tune. What Outrigger's transport sets for a purpose is set here too.
func Bare(upstream *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		FlushInterval: -1,
		BufferPool:    &buffers{},
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    1024,
			IdleConnTimeout:        4 * time.Second,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 256 << 10,
		},
	}
}

// buffers is the usual httputil.BufferPool.
type buffers struct{ pool sync.Pool }

// Get returns a buffer of io.Copy's size.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put takes a buffer back.
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
