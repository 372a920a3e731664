package trace

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"outrigger/internal/clip"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

// spanMethod is the request's method as spans have it: one that is not known would make names
// without bound.
func spanMethod(method string) string {
	if !slices.Contains(methods, method) {
		return "HTTP"
	}
	return method
}

// methods are those of RFC 9110 and RFC 5789.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// methodAttribute is the request's method; see spanMethod.
func methodAttribute(method string) attribute.KeyValue {
	if !slices.Contains(methods, method) {
		return semconv.HTTPRequestMethodOther
	}
	return semconv.HTTPRequestMethodKey.String(method)
}

// endpointSuffix is the second half of the name of a request's span.
func endpointSuffix(c *call.Call) string {
	if c.Endpoint.Name == "" {
		return ""
	}
	return " " + c.Endpoint.Name
}

// spanName is the name of an attempt's span: operation and model, as the conventions for
// generative AI have it, or method and endpoint for other calls.
func spanName(c *call.Call, model string) string {
	if operation := operationOf(c); operation != "" {
		return strings.TrimSpace(operation + " " + wire.LabelText(model))
	}
	return spanMethod(c.Method) + endpointSuffix(c)
}

// entryAttributes are those that a sampler may look at.
func entryAttributes(c *call.Call) []attribute.KeyValue {
	return []attribute.KeyValue{
		methodAttribute(c.Method),
		semconv.URLPath(clip.Text(wire.MaskedPath(c.Path), wire.MaxPath)),
		attribute.String("outrigger.request.id", c.ID),
	}
}

// resultAttributes tell how a request ended.
func resultAttributes(e *observe.Event) []attribute.KeyValue {
	c, r := e.Call, e.Result
	a := []attribute.KeyValue{
		attribute.String("outrigger.outcome", r.Result()),
		attribute.Int("outrigger.attempts", r.Attempts),
	}
	if r.Source != "" {
		a = append(a, attribute.String("outrigger.source", string(r.Source)))
	}
	if r.Status > 0 {
		a = append(a, semconv.HTTPResponseStatusCode(r.Status))
	}
	if operation := operationOf(c); operation != "" {
		a = append(a, semconv.GenAIOperationNameKey.String(operation))
	}
	if c.Facts.Model != "" {
		a = append(a, semconv.GenAIRequestModel(wire.LabelText(c.Facts.Model)))
	}
	if c.CallerName != "" {
		a = append(a, attribute.String("outrigger.caller", c.CallerName))
	}
	if e.Upstream != "" {
		a = append(a, attribute.String("outrigger.upstream", e.Upstream))
	}
	if r.Failover != "" {
		a = append(a, attribute.String("outrigger.failover", r.Failover))
	}
	if r.Reason != "" {
		a = append(a, attribute.String("outrigger.reason", r.Reason))
	}
	if r.Idempotency != "" {
		a = append(a, attribute.String("outrigger.idempotency", r.Idempotency))
	}
	return a
}

// attemptAttributes are those of an attempt that is about to be sent.
func attemptAttributes(c *call.Call, s observe.Sending) []attribute.KeyValue {
	host, port := s.Host, 0
	if name, number, err := net.SplitHostPort(s.Host); err == nil {
		host = name
		port, _ = strconv.Atoi(number)
	}
	if port == 0 {
		port = map[string]int{"http": 80, "https": 443}[s.Scheme]
	}
	a := []attribute.KeyValue{
		methodAttribute(c.Method),
		semconv.ServerAddress(strings.Trim(host, "[]")), semconv.ServerPort(port),
		attribute.String("outrigger.upstream", s.Lane),
	}
	if s.Number > 1 {
		a = append(a, semconv.HTTPRequestResendCount(s.Number-1))
	}
	operation := operationOf(c)
	if operation == "" {
		return a
	}
	a = append(a, semconv.GenAIOperationNameKey.String(operation), semconv.GenAIProviderNameKey.String(providerOf(s)))
	if s.Model != "" {
		a = append(a, semconv.GenAIRequestModel(wire.LabelText(s.Model)))
	}
	if c.AsksForStream() {
		a = append(a, attribute.Bool("gen_ai.request.stream", true))
	}
	return a
}

// tryAttributes tell how an attempt was judged.
func tryAttributes(s *observe.Span) []attribute.KeyValue {
	a := []attribute.KeyValue{
		attribute.String("outrigger.outcome", s.Try.Outcome.String()),
		attribute.String("outrigger.decision", s.Reason),
	}
	if s.Try.Rule != "" {
		a = append(a, attribute.String("outrigger.rule", s.Try.Rule))
	}
	if s.Try.Status > 0 {
		a = append(a, semconv.HTTPResponseStatusCode(s.Try.Status))
	}
	return a
}

// usageAttributes are the tokens that the upstream counted.
func usageAttributes(r *call.Result) []attribute.KeyValue {
	var a []attribute.KeyValue
	if r.PromptTokens > 0 {
		a = append(a, semconv.GenAIUsageInputTokens(int(r.PromptTokens)))
	}
	if r.CompletionTokens > 0 {
		a = append(a, semconv.GenAIUsageOutputTokens(int(r.CompletionTokens)))
	}
	return a
}

// waitAttributes are those of an event: a wait, or a moment.
func waitAttributes(s *observe.Span) []attribute.KeyValue {
	var a []attribute.KeyValue
	if s.Lane != "" {
		a = append(a, attribute.String("outrigger.upstream", s.Lane))
	}
	if s.Reason != "" {
		a = append(a, attribute.String("outrigger.reason", s.Reason))
	}
	if took := s.End.Sub(s.Start); took > 0 {
		a = append(a, seconds(took))
	}
	return a
}

// seconds is how long a wait was.
func seconds(d time.Duration) attribute.KeyValue {
	return attribute.Float64("outrigger.wait.seconds", d.Seconds())
}
