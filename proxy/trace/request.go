package trace

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// request is a request that is under way. Safe for concurrent use: its call may go on when
// its caller has left.
type request struct {
	ctx  context.Context // of span
	span trace.Span      // the server's

	mu    sync.Mutex
	users int // 1, and 1 more while its call is made apart from its caller
	sent  attempt
	holds []held
}

// attempt is the last one. The zero value is none, or one that has ended.
type attempt struct {
	ctx    context.Context
	span   trace.Span
	number int
	judged time.Time // when the answer was judged; zero before. It is the attempt's end unless it is passed on
	status int
}

// shortest is how long a hold is that is worth an event: most answers are whole at once.
const shortest = time.Millisecond

// held is how long an attempt's answer was held; it is told before the attempt is.
type held struct{ start, end time.Time }

// send begins the span of an attempt and returns its context. One that follows a redirect has
// begun.
func (r *request) send(t trace.Tracer, c *call.Call, s observe.Sending) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent.span != nil && r.sent.number == s.Number {
		return r.sent.ctx
	}
	r.endAttempt(time.Time{}) // its answer was given up
	r.sent = attempt{number: s.Number}
	r.sent.ctx, r.sent.span = t.Start( //nolint:fatcontext // of the request's, not of the attempt before
		r.ctx, spanName(c, s.Model), trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(s.Start))
	if r.sent.span.IsRecording() {
		r.sent.span.SetAttributes(attemptAttributes(c, s)...)
	}
	return r.sent.ctx
}

// record takes in a span of the request path.
func (r *request) record(s *observe.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch s.Kind {
	case observe.SpanAttempt:
		r.judged(s)
	case observe.SpanHold:
		r.holds = append(r.holds, held{s.Start, s.End})
	case observe.SpanStream, observe.SpanIdempotency, observe.SpanPanic: // the last attempt, and the request's own attributes, say so
	default:
		if r.span.IsRecording() {
			r.span.AddEvent(string(s.Kind), trace.WithTimestamp(s.Start), trace.WithAttributes(waitAttributes(s)...))
		}
	}
}

// judged takes in how an attempt ended. If its answer is passed on, that is yet to come.
func (r *request) judged(s *observe.Span) {
	a := &r.sent
	if a.span == nil || a.number != s.Try.Number {
		return
	}
	for _, h := range r.holds {
		if h.end.Sub(h.start) < shortest {
			continue
		}
		a.span.AddEvent(string(observe.SpanHold), trace.WithTimestamp(h.start), trace.WithAttributes(seconds(h.end.Sub(h.start))))
	}
	r.holds = nil
	a.judged, a.status = s.End, s.Try.Status
	a.span.SetAttributes(tryAttributes(s)...)
	if s.Try.Outcome != classify.OutcomeOK {
		fails(a.span, s.Try.Outcome.String())
	}
	if s.Try.Repeated || s.Reason == string(policy.ReasonFailover) || s.Try.Status == 0 {
		r.endAttempt(s.End)
	}
}

// endAttempt ends the span of the last attempt at the given time or, where that is zero, when
// its answer was judged.
func (r *request) endAttempt(at time.Time) {
	a := &r.sent
	if a.span == nil {
		return
	}
	if at.IsZero() {
		at = a.judged
	}
	var options []trace.SpanEndOption
	if !at.IsZero() {
		options = append(options, trace.WithTimestamp(at))
	}
	a.span.End(options...)
	r.sent = attempt{}
}

// settle ends the last attempt with what became of its answer.
func (r *request) settle(result *call.Result, end time.Time) {
	a := &r.sent
	if a.span == nil {
		return
	}
	if result.Source != call.SourceUpstream || a.judged.IsZero() {
		r.endAttempt(time.Time{})
		return
	}
	a.span.SetAttributes(usageAttributes(result)...)
	switch result.Outcome {
	case call.OutcomeInterrupted, call.OutcomeFailed, call.OutcomeCanceled:
		fails(a.span, string(result.Outcome))
	}
	r.endAttempt(end)
}

// hold adds the call, made apart from its caller, to those who keep the request.
func (r *request) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
}

// release ends the call that was made apart, and reports whether the request is over.
func (r *request) release(result *call.Result) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settle(result, time.Now())
	r.users--
	return r.users == 0
}

// done ends the request's span, and reports whether nobody keeps it any more.
func (r *request) done(e *observe.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	if r.users == 0 {
		r.settle(e.Result, e.End)
	}
	if r.span.IsRecording() {
		r.span.SetName(spanMethod(e.Call.Method) + endpointSuffix(e.Call))
		r.span.SetAttributes(resultAttributes(e)...)
		if outcome := e.Result.Result(); outcome != string(call.OutcomeCompleted) {
			r.span.SetAttributes(errorType(outcome))
			if isFault(e.Result) {
				r.span.SetStatus(codes.Error, outcome)
			}
		}
	}
	r.span.End(trace.WithTimestamp(e.End))
	return r.users == 0
}

// isFault reports whether a server's span is to say that it failed: not for what is the
// caller's own fault or will (HTTP conventions, "Status").
func isFault(r *call.Result) bool {
	switch r.Outcome {
	case call.OutcomeInterrupted, call.OutcomeFailed:
		return true
	}
	return r.Status >= 500
}

// fails marks an attempt's span as failed in one of the ways of Outcome.
func fails(s trace.Span, outcome string) {
	s.SetAttributes(errorType(outcome))
	s.SetStatus(codes.Error, outcome)
}

func errorType(outcome string) attribute.KeyValue { return attribute.String("error.type", outcome) }
