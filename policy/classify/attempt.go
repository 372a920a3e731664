package classify

import (
	"time"

	"outrigger/policy/echoes"
	"outrigger/policy/endpoint"
)

// Attempt is all that is known of one try at an upstream when it is judged.
// The zero value is an attempt that reached nobody.
type Attempt struct {
	// Status is the HTTP status of the answer, 0 when there was none.
	Status int
	// Header holds the answer's headers under canonical names; an http.Header fits. It is only read.
	Header map[string][]string
	// Body is the start of the answer after Content-Encoding was undone, at most 64 KiB.
	// For a stream it is the data of the first meaningful event. It is only read, and not kept.
	Body []byte
	// Failure says what went wrong below HTTP; None when a whole answer came.
	Failure Failure
	// Progress says how far the request got. It is Answered whenever Status is not 0.
	Progress Progress
	// Effect is what carrying out the request does at the upstream.
	Effect endpoint.Effect
	// Now is the time at which the answer came, from which dates count.
	Now time.Time
	// Keyed says that a call with the request's Idempotency-Key may be under way already: one
	// of the caller's own, or an earlier attempt that did not end.
	Keyed bool
	// Echo is what of Body the request had said: those words are the caller's, and nothing is judged by them.
	Echo echoes.Parts
	// Stream says that Body is an event of a stream that began with a 2xx, and Event is its name.
	Stream bool
	Event  string
}

// Progress is how far a request got towards the upstream's application.
type Progress uint8

// How far a request got. The zero value is NotSent.
const (
	// NotSent means that surely nothing reached the application.
	NotSent Progress = iota
	// Sent means that some or all of the request may have reached it.
	Sent
	// Answered means that at least the answer's headers came back.
	Answered
)

// String returns the progress in lower case, for logs.
func (p Progress) String() string { return name(p, "not_sent", "sent", "answered") }

// Failure is what went wrong below HTTP.
type Failure uint8

// The failures below HTTP. The zero value is None.
const (
	// None means that the transport did its work.
	None Failure = iota
	// Unreachable means that dial, DNS or TLS failed.
	Unreachable
	// Refused means that HTTP/2 says the stream was not processed: REFUSED_STREAM,
	// or a GOAWAY whose last stream is below this one (RFC 9113, sections 6.8 and 8.7).
	Refused
	// Broke means a reset, an early end, garbage instead of HTTP, or an answer that broke off.
	Broke
	// Timeout means that the attempt's own time ran out.
	Timeout
	// TooLarge means an answer that cannot be used, such as a header without end.
	TooLarge
	// Canceled means that the caller left.
	Canceled
	// Malformed means an answer that is not valid HTTP, and would be the next time.
	Malformed
	// Starved means that this machine had no descriptor, port or memory left to connect with.
	Starved
)

// String returns the failure in lower case, for logs.
func (f Failure) String() string {
	return name(f, "none", "unreachable", "refused", "broke", "timeout", "too_large", "canceled", "malformed", "starved")
}

// name returns the i-th name, or "unknown" for a value outside the list.
func name[E ~uint8](i E, names ...string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}
