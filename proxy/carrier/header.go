package carrier

import (
	"net/http"
	"slices"
	"strings"
)

// Kind is what a part of a request says about its caller.
type Kind uint8

// The kinds. The zero value is Unknown.
const (
	// Unknown may tell callers apart, or not.
	Unknown Kind = iota
	// Harmless says neither who calls nor what for.
	Harmless
	// Asks says what is asked for, not by whom.
	Asks
	// Account chooses among the accounts of one credential.
	Account
	// Proof is a credential.
	Proof
)

// headers are the names whose kind the words in them do not tell.
var headers = map[string]Kind{
	// The client's software, and how it is connected: a caller keeps its identity when it
	// updates one or moves the other.
	"User-Agent": Harmless, "Accept-Encoding": Harmless, "Connection": Harmless, "Keep-Alive": Harmless, "Te": Harmless,
	"Trailer": Harmless, "Transfer-Encoding": Harmless, "Expect": Harmless, "Upgrade": Harmless, "Proxy-Connection": Harmless,
	"Sec-Websocket-Key": Harmless, "Sec-Websocket-Version": Harmless, "Sec-Websocket-Extensions": Harmless, // a nonce, and RFC 6455's
	// How the body is written, which is compared as what it says: a form has another boundary in
	// each try.
	"Content-Length": Harmless, "Content-Type": Harmless,
	// Clocks: another in each try.
	"Date": Harmless, "X-Amz-Date": Harmless,
	// Tracing: made anew by each hop or try (W3C Trace Context and Baggage, B3, Sentry, Jaeger,
	// Datadog, AWS, Google), and by nobody taken for a proof.
	"Traceparent": Harmless, "Tracestate": Harmless, "Baggage": Harmless, "Sentry-Trace": Harmless, "B3": Harmless,
	"Uber-Trace-Id": Harmless, "X-Amzn-Trace-Id": Harmless, "X-Cloud-Trace-Context": Harmless, "Request-Id": Harmless,
	"X-Request-Id": Harmless, "X-Correlation-Id": Harmless, "X-Client-Request-Id": Harmless, "X-Ms-Client-Request-Id": Harmless,
	// The way that a request took, which each balancer and proxy of it writes anew (RFC 7239 and
	// RFC 9110, section 7.6.3; X-Forwarded-User and the like are not among them: those say who calls).
	"Forwarded": Harmless, "Via": Harmless, "X-Real-Ip": Harmless, "X-Forwarded-For": Harmless, "X-Forwarded-Host": Harmless,
	"X-Forwarded-Proto": Harmless, "X-Forwarded-Port": Harmless, "X-Forwarded-Server": Harmless, "X-Request-Start": Harmless,
	// How often a gateway tried, and how long it will wait (Envoy).
	"X-Envoy-Attempt-Count": Harmless, "X-Envoy-Expected-Rq-Timeout-Ms": Harmless, "X-Request-Timeout": Harmless,
	// Part of the identity by themselves, where they count.
	"Idempotency-Key": Harmless, "X-Idempotency-Key": Harmless, "X-Outrigger-Token": Proof,
	"idempotency-key": Harmless, "x-idempotency-key": Harmless, // as they are sent to upstreams

	"Accept": Asks, "Accept-Language": Asks, "Content-Encoding": Asks, "Content-Language": Asks,
	"Content-Md5": Asks, "Digest": Asks, "Content-Digest": Asks, "X-Amz-Content-Sha256": Asks, "Range": Asks,
	"If-Match": Asks, "If-None-Match": Asks, "If-Modified-Since": Asks, "If-Unmodified-Since": Asks, "If-Range": Asks,
	"Cache-Control": Asks, "Pragma": Asks, "Prefer": Asks, "Api-Version": Asks, "Openai-Beta": Asks, "Openai-Version": Asks,
	"Anthropic-Version": Asks, "Anthropic-Beta": Asks, "Last-Event-Id": Asks,

	// OpenAI's, and the project that Google charges.
	"Openai-Organization": Account, "Openai-Project": Account, "X-Goog-User-Project": Account,
	// A WebSocket's subprotocols carry keys, organization and project where a browser cannot set
	// headers; see Protocol.
	"Sec-Websocket-Protocol": Proof,
	"Dpop":                   Proof, // RFC 9449
}

// harmlessPrefixes are families of headers: the SDK's own version, platform, timeout and
// count of tries (OpenAI's and Anthropic's are made by Stainless), and tracing.
var harmlessPrefixes = [...]string{"X-Stainless-", "X-B3-", "X-Datadog-", "X-Outrigger-"}

// Header returns the kind of a request header, in whatever case.
func Header(name string) Kind {
	if kind, known := headers[name]; known {
		return kind
	}
	canonical := http.CanonicalHeaderKey(name)
	if kind, known := headers[canonical]; known && canonical != name {
		return kind
	}
	for _, prefix := range harmlessPrefixes {
		if strings.HasPrefix(canonical, prefix) {
			return Harmless
		}
	}
	if names(name) {
		return Proof
	}
	return Unknown
}

// kindOf returns the kind of a header with its values: one that nobody knows is a proof if
// a value is written like one. own are further headers that carry a key.
func kindOf(name string, values, own []string) Kind {
	if slices.Contains(own, name) {
		return Proof
	}
	kind := Header(name)
	if kind == Unknown && slices.ContainsFunc(values, writtenLikeKey) {
		return Proof
	}
	return kind
}

// WithoutHeaders takes the headers of the given kinds out of h, and the subprotocols of a
// WebSocket. own are further headers that carry a key.
func WithoutHeaders(h http.Header, dropped Kinds, own ...string) {
	for name, values := range h {
		switch {
		case name == "Sec-Websocket-Protocol":
			if h[name] = WithoutProtocols(values, dropped); h[name] == nil {
				delete(h, name)
			}
		case dropped.Has(kindOf(name, values, own)):
			delete(h, name)
		}
	}
}

// writtenLikeKey reports whether a value has the form of a credential: a scheme of HTTP
// authentication, or a beginning that providers give to their keys.
func writtenLikeKey(value string) bool {
	if len(value) < minKey {
		return false
	}
	for _, prefix := range [...]string{"Bearer ", "bearer ", "Basic ", "AWS4-HMAC-SHA256 ", "sk-", "pk-", "gsk_", "xai-", "AIza", "eyJ", "AKIA", "ASIA", "hf_"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// minKey is shorter than any provider's key.
const minKey = 12
