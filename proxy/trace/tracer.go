package trace

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"outrigger/internal/otlp"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// shutdown is how long Close waits until what is recorded is sent. Kubernetes allows a pod
// 30 s by default, of which a drain may need 25.
const shutdown = 3 * time.Second

// Deps are what a Tracer uses and does not make.
type Deps struct {
	Log     *slog.Logger
	Spans   *observe.TraceSpans
	Version string // of Outrigger, an attribute of the process
}

// Tracer records requests as spans. It implements observe.Tracer. Make it with New.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	join     bool
	end      context.CancelFunc // ends what is being sent
	requests sync.Map           // id -> *request, of those that are under way
}

// New returns a Tracer that sends what it records by client. s.On() is true.
func New(s *otlp.Settings, client otlptrace.Client, d Deps) (*Tracer, error) {
	lost := &losses{log: d.Log, to: s.Address(), spans: d.Spans}
	process, err := resource.New(context.Background(), resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceVersion(cmp.Or(d.Version, "dev"))), resource.WithAttributes(s.Resource...))
	if err != nil {
		return nil, err
	}
	closed, end := context.WithCancel(context.Background())
	to := &exporter{SpanExporter: otlptrace.NewUnstarted(client), losses: lost, closed: closed}
	batches := sdktrace.NewBatchSpanProcessor(to, sdktrace.WithMaxQueueSize(s.Batch.Queue), sdktrace.WithMaxExportBatchSize(s.Batch.Size),
		sdktrace.WithBatchTimeout(s.Batch.Delay), sdktrace.WithExportTimeout(s.Batch.Timeout))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(&bounded{SpanProcessor: batches, losses: lost, most: int64(s.Batch.Queue)}),
		sdktrace.WithSampler(s.Sampler), sdktrace.WithRawSpanLimits(s.Limits), sdktrace.WithResource(process))
	return &Tracer{
		provider: provider, join: s.Join, end: end,
		tracer: provider.Tracer("outrigger", trace.WithInstrumentationVersion(d.Version), trace.WithSchemaURL(semconv.SchemaURL)),
	}, nil
}

// Close sends what is recorded, for three seconds at most.
func (t *Tracer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	defer t.end()
	_ = t.provider.Shutdown(ctx) // the exporter has told of its troubles
}

// Enter implements observe.Tracer.
func (t *Tracer) Enter(c *call.Call, caller http.Header) {
	ctx := context.Background()
	if t.join {
		ctx = joined(ctx, caller)
	}
	r := &request{users: 1}
	r.ctx, r.span = t.tracer.Start(ctx, spanMethod(c.Method), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(c.Start), trace.WithAttributes(entryAttributes(c)...))
	t.requests.Store(c.ID, r)
}

// Send implements observe.Tracer.
func (t *Tracer) Send(c *call.Call, s observe.Sending, h http.Header) http.Header {
	r := t.of(c.ID)
	if r == nil {
		return h
	}
	ctx := r.send(t.tracer, c, s)
	if !t.join {
		return h
	}
	return carried(ctx, h)
}

// Hold implements observe.Tracer.
func (t *Tracer) Hold(id string) {
	if r := t.of(id); r != nil {
		r.hold()
	}
}

// Release implements observe.Tracer.
func (t *Tracer) Release(id string, result *call.Result) {
	if r := t.of(id); r != nil && r.release(result) {
		t.requests.Delete(id)
	}
}

// Begin implements observe.Recorder.
func (*Tracer) Begin(observe.Kind, string) {}

// Span implements observe.Recorder.
func (t *Tracer) Span(id string, s observe.Span) {
	if r := t.of(id); r != nil {
		r.record(&s)
	}
}

// Notice implements observe.Recorder.
func (*Tracer) Notice(observe.Notice) {}

// Done implements observe.Recorder.
func (t *Tracer) Done(e *observe.Event) {
	if e.Alone { // its caller's end was told before, and Release told the call's
		return
	}
	if r := t.of(e.Call.ID); r != nil && r.done(e) {
		t.requests.Delete(e.Call.ID)
	}
}

// of returns the request with an id, if it is under way.
func (t *Tracer) of(id string) *request {
	if r, ok := t.requests.Load(id); ok {
		return r.(*request)
	}
	return nil
}
