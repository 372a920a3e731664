package observe

import "github.com/prometheus/client_golang/prometheus"

// TraceSpans counts the spans of traces by what became of them.
type TraceSpans struct {
	Exported prometheus.Counter // the collector took them
	Failed   prometheus.Counter // it did not, or could not be reached
	Dropped  prometheus.Counter // too many waited
}

// NewTraceSpans returns TraceSpans that are registered with r.
func NewTraceSpans(r prometheus.Registerer) (*TraceSpans, error) {
	spans := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "outrigger_trace_spans_total", Help: "Spans of traces, by what became of them.",
	}, []string{"result"})
	return &TraceSpans{
		Exported: spans.WithLabelValues("exported"), Failed: spans.WithLabelValues("failed"), Dropped: spans.WithLabelValues("dropped"),
	}, r.Register(spans)
}
