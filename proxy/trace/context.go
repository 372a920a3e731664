package trace

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
)

// The headers of W3C Trace Context.
const (
	headerParent = "Traceparent"
	headerState  = "Tracestate"
)

// received are a caller's headers. A second traceparent makes both invalid, and several of
// tracestate are one list (W3C Trace Context, sections 3.2 and 3.3).
type received struct{ http.Header }

// Get implements propagation.TextMapCarrier.
func (h received) Get(name string) string {
	values := h.Values(name)
	switch {
	case len(values) == 1:
		return values[0]
	case strings.EqualFold(name, headerState):
		return strings.Join(values, ",")
	}
	return ""
}

// Keys implements propagation.TextMapCarrier.
func (received) Keys() []string { return []string{headerParent, headerState} }

// joined returns ctx in the trace that a caller's headers name, if they name one.
func joined(ctx context.Context, caller http.Header) context.Context {
	return propagation.TraceContext{}.Extract(ctx, received{caller})
}

// carried returns h with the headers of the span of ctx in the place of the caller's.
func carried(ctx context.Context, h http.Header) http.Header {
	sent := make(http.Header, len(h)+2)
	for name, values := range h { // a shallow copy: values are not changed
		if name != headerState {
			sent[name] = values
		}
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(sent))
	return sent
}
