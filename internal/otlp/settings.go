package otlp

import (
	"crypto/tls"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Settings say whether and how spans are recorded and sent. Load makes them.
type Settings struct {
	URL         *url.URL          // where spans go; nil: traces are off
	Headers     map[string]string // sent with them; may be secret
	Timeout     time.Duration     // of one request, retries included
	Gzip        bool
	TLS         *tls.Config // nil is Go's own
	Join        bool        // W3C trace context is read from callers and sent to upstreams
	Sampler     sdktrace.Sampler
	Resource    []attribute.KeyValue // the process, as backends name it; has service.name
	Batch       Batch
	Limits      sdktrace.SpanLimits
	Explanation string // why traces are off although an endpoint is set; "" if they are not
}

// Batch bounds what waits to be sent.
type Batch struct {
	Queue, Size    int           // spans that wait at most, and that are sent together at most
	Delay, Timeout time.Duration // between two requests, and of one
}

// On reports whether requests are traced.
func (s *Settings) On() bool { return s.URL != nil }

// Address is where spans go, for the log: without what may be secret in a URL.
func (s *Settings) Address() string {
	u := url.URL{Scheme: s.URL.Scheme, Host: s.URL.Host, Path: s.URL.Path}
	return u.String()
}
