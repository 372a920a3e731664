package trace

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"outrigger/internal/otlp"
	"outrigger/proxy/observe"
)

// retell is how often the log says that spans still get lost.
const retell = time.Minute

// losses counts the spans that were sent and those that were not, and tells the log of the
// latter: at the first, each minute, and when it is over.
type losses struct {
	log     *slog.Logger
	to      string // where spans go
	spans   *observe.TraceSpans
	waiting atomic.Int64

	mu     sync.Mutex
	lost   int64     // since spans began to get lost; 0 is none
	why    string    // of the last
	told   time.Time // when the log was told last
	untold int64     // lost since then
}

// lose notes that n spans were lost.
func (l *losses) lose(n int64, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost += n
	l.untold += n
	l.why = why
	now := time.Now()
	if now.Sub(l.told) < retell {
		return
	}
	l.told = now
	l.log.Warn("spans are lost: they cannot be sent to the collector; requests are not affected",
		slog.String("endpoint", l.to), slog.String("error", why), slog.Int64("spans", l.untold))
	l.untold = 0
}

// sent notes that spans arrived.
func (l *losses) sent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == 0 {
		return
	}
	l.log.Info("spans reach the collector again", slog.String("endpoint", l.to), slog.Int64("lost", l.lost))
	l.lost, l.untold, l.told = 0, 0, time.Time{}
}

// bounded drops spans that would make too many wait. The SDK's own bound does the same
// without telling how many.
type bounded struct {
	sdktrace.SpanProcessor
	losses *losses
	most   int64
}

// OnEnd implements sdktrace.SpanProcessor.
func (b *bounded) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if b.losses.waiting.Add(1) > b.most {
		b.losses.waiting.Add(-1)
		b.losses.spans.Dropped.Inc()
		b.losses.lose(1, "too many wait")
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// exporter counts what is sent. It returns no error: it tells the log itself.
type exporter struct {
	sdktrace.SpanExporter
	losses *losses
	closed context.Context //nolint:containedctx // ends what still runs when Close has waited long enough
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	n := int64(len(spans))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.closed, cancel)()
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.losses.waiting.Add(-n)
	var rejected otlp.RejectedError
	switch {
	case err == nil:
		e.losses.spans.Exported.Add(float64(n))
		e.losses.sent()
		return nil
	case errors.As(err, &rejected):
		n = min(n, int64(rejected))
		e.losses.spans.Exported.Add(float64(int64(len(spans)) - n))
	}
	e.losses.spans.Failed.Add(float64(n))
	e.losses.lose(n, strings.TrimPrefix(err.Error(), "traces export: "))
	return nil
}
