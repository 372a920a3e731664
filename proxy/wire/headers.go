package wire

import (
	"net/http"
	"strings"
)

// Header names in the form that net/http stores them in.
const (
	HeaderToken       = "X-Outrigger-Token"
	HeaderPriority    = "X-Outrigger-Priority"
	HeaderCaller      = "X-Outrigger-Caller"
	HeaderAttempts    = "X-Outrigger-Attempts"
	HeaderUpstream    = "X-Outrigger-Upstream"
	HeaderFailover    = "X-Outrigger-Failover"
	HeaderSource      = "X-Outrigger-Source"
	HeaderQueue       = "X-Outrigger-Queue-Ms"
	HeaderID          = "X-Outrigger-Request-Id"
	HeaderIdempotency = "X-Outrigger-Idempotency"
	HeaderRepeat      = "X-Outrigger-Repeat"
	HeaderShouldRetry = "X-Should-Retry"

	// KeyIdempotency is on purpose not the canonical form. http.Transport takes a
	// POST for replayable when Header["Idempotency-Key"] exists, and then sends
	// it again by itself, past budget, limiter and breaker (net/http,
	// Request.isReplayable). On the wire the case of a name does not matter.
	KeyIdempotency = "idempotency-key"
)

// Own are the response headers that only Outrigger may set.
var Own = [...]string{HeaderAttempts, HeaderUpstream, HeaderFailover, HeaderSource, HeaderQueue, HeaderID, HeaderIdempotency, HeaderRepeat}

// IsWebSocket reports whether the caller asks for a WebSocket (RFC 6455, 4.2.1).
func IsWebSocket(h http.Header) bool {
	return strings.EqualFold(h.Get("Upgrade"), "websocket")
}

// DropUpgrade removes a caller's request to switch protocols. h2c above all: a
// tunnel of HTTP/2 would bypass everything that this proxy is for (golang/go#80416).
// Before the relay, because ReverseProxy refuses a protocol whose name is no text.
func DropUpgrade(h http.Header) {
	delete(h, "Upgrade")
	delete(h, "Http2-Settings")
}

// SentKey returns the Idempotency-Key that MoveIdempotencyKey stored in h, nil if none.
func SentKey(h map[string][]string) []string { return h[KeyIdempotency] }

// MoveIdempotencyKey stores the key under the name that http.Transport does not
// look for. A call without one gets key made, if that is not "". It reports whether the
// call has that one now.
func MoveIdempotencyKey(h http.Header, made string) bool {
	_, given := h["Idempotency-Key"]
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
	if !given && made != "" {
		h[KeyIdempotency] = []string{made}
		return true
	}
	return false
}

// DropOwn takes out of a request what callers tell Outrigger and no upstream.
func DropOwn(h http.Header) {
	for _, name := range [...]string{HeaderToken, HeaderPriority, HeaderCaller} {
		delete(h, name)
	}
}
