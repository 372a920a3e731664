// Package trace records requests as spans of a distributed trace, with the OpenTelemetry SDK.
//
// Its center is Tracer, an observe.Recorder. A request has a server span. Each attempt has a
// client span below it, whose id the upstream gets as traceparent. Waits are events: of the
// request (queue, breaker, backoff) or of the attempt (hold). A request whose caller sends a
// traceparent is a part of the caller's trace.
//
// Spans and attributes follow OpenTelemetry's semantic conventions 1.41.0 for HTTP and for
// generative AI. That is the last release of the general conventions with the latter, which
// have moved to a repository without releases so far; both are those of "development" status
// except HTTP's. Names that Outrigger adds begin with outrigger. No attribute holds a prompt,
// an answer, a query, a credential or an upstream's message.
//
// # What it may cost
//
// Nothing when traces are off: there is no Tracer then. Else spans wait in a bounded queue
// and are sent by one goroutine. When the collector is slow, away or refuses, the queue fills,
// and further spans are dropped and counted: no request waits, and none fails.
package trace
