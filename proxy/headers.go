package proxy

import (
	"net/http"
	"strings"
)

// Header names in the form that net/http stores them in.
const (
	headerToken       = "X-Outrigger-Token"
	headerAttempts    = "X-Outrigger-Attempts"
	headerUpstream    = "X-Outrigger-Upstream"
	headerFailover    = "X-Outrigger-Failover"
	headerSource      = "X-Outrigger-Source"
	headerQueue       = "X-Outrigger-Queue-Ms"
	headerID          = "X-Outrigger-Request-Id"
	headerIdempotency = "X-Outrigger-Idempotency"
	headerRepeat      = "X-Outrigger-Repeat"
	headerShouldRetry = "X-Should-Retry"

	// keyIdempotency is on purpose not the canonical form. http.Transport takes a
	// POST for replayable when Header["Idempotency-Key"] exists, and then sends
	// it again by itself, past budget, limiter and breaker (net/http,
	// Request.isReplayable). On the wire the case of a name does not matter.
	keyIdempotency = "idempotency-key"
)

// own are the response headers that only Outrigger may set.
var own = [...]string{headerAttempts, headerUpstream, headerFailover, headerSource, headerQueue, headerID, headerIdempotency, headerRepeat}

// isWebSocket reports whether the caller asks for a WebSocket (RFC 6455, 4.2.1).
func isWebSocket(h http.Header) bool {
	return strings.EqualFold(h.Get("Upgrade"), "websocket")
}

// dropUpgrade removes a caller's request to switch protocols. h2c above all: a
// tunnel of HTTP/2 would bypass everything that this proxy is for (golang/go#80416).
// Before the relay, because ReverseProxy refuses a protocol whose name is no text.
func dropUpgrade(h http.Header) {
	delete(h, "Upgrade")
	delete(h, "Http2-Settings")
}

// sentKey returns the Idempotency-Key that moveIdempotencyKey stored in h, nil if none.
func sentKey(h map[string][]string) []string { return h[keyIdempotency] }

// moveIdempotencyKey stores the key under the name that http.Transport does not
// look for. A call without one gets key made, if that is not "". It reports whether the
// call has that one now.
func moveIdempotencyKey(h http.Header, made string) bool {
	_, given := h["Idempotency-Key"]
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
	if !given && made != "" {
		h[keyIdempotency] = []string{made}
		return true
	}
	return false
}
