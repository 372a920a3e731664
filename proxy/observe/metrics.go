package observe

import (
	"cmp"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/wire"
)

// Buckets in seconds. The longest answers take ten minutes, OpenAI's SDKs' own
// timeout; a queue or a first event may take as long.
var secondsBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// maxModels bounds the model label, whose values callers choose. Later ones
// count as "other".
const maxModels = 50

// Metrics counts what happens, for Prometheus. Names are the contract with
// dashboards: see the README. It implements Recorder.
type Metrics struct {
	requests      *prometheus.CounterVec
	duration      *prometheus.HistogramVec
	firstEvent    *prometheus.HistogramVec
	attempts      *prometheus.CounterVec
	retries       *prometheus.CounterVec
	refused       *prometheus.CounterVec
	failovers     *prometheus.CounterVec
	clientRetries *prometheus.CounterVec
	queue         *prometheus.HistogramVec
	streamsOpen   prometheus.Gauge
	streamsEnded  *prometheus.CounterVec
	resumes       *prometheus.CounterVec
	panics        *prometheus.CounterVec
	tokens        *prometheus.CounterVec
	idempotency   *prometheus.CounterVec
	callers       callerMetrics
	occasional

	models modelLabels
	series seriesCache
	lanes  sync.Map // name -> *laneMetrics
}

// occasional are the counters of what most processes never see.
type occasional struct{ batches, observed *prometheus.CounterVec }

// NewMetrics returns Metrics that are registered with r.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: secondsBuckets}, labels)
	}
	m := &Metrics{
		requests:      counter("outrigger_requests_total", "Requests that ended, by the status sent and how they ended.", "upstream", "endpoint", "code", "outcome"),
		duration:      histogram("outrigger_request_duration_seconds", "Time from a request's arrival to the end of its answer.", "upstream", "endpoint"),
		firstEvent:    histogram("outrigger_time_to_first_event_seconds", "Time from a request's arrival until its answer was passed on.", "upstream", "endpoint"),
		attempts:      counter("outrigger_attempts_total", "Attempts made upstream, by outcome.", "upstream", "outcome"),
		retries:       counter("outrigger_retries_total", "Attempts that were repeated, by reason.", "upstream", "reason"),
		refused:       counter("outrigger_retries_refused_total", "Failed attempts that were not repeated, by reason.", "upstream", "reason"),
		failovers:     counter("outrigger_failovers_total", "Requests that left an upstream for the next one, by reason.", "upstream", "reason"),
		clientRetries: counter("outrigger_client_retries_total", "Requests that an SDK says are its own retries.", "upstream"),
		queue:         histogram("outrigger_queue_seconds", "Time that requests spent in a limiter's line.", "upstream"),
		streamsOpen:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "outrigger_streams_open", Help: "Event streams and WebSockets that are open."}),
		streamsEnded:  counter("outrigger_streams_ended_total", "Event streams and WebSockets that ended, by how.", "upstream", "outcome"),
		resumes:       counter("outrigger_stream_resumes_total", "Background Responses streams that were cut and asked for again, by what came of it.", "upstream", "result"),
		panics:        counter("outrigger_panics_total", "Goroutines that panicked and ended their own request.", "where"),
		tokens:        counter("outrigger_tokens_total", "Tokens that upstreams said were used.", "upstream", "model", "kind"),
		idempotency:   counter("outrigger_idempotency_total", "What became of calls with a key, and of abandoned ones.", "result"),
		callers:       newCallerMetrics(counter),
		occasional: occasional{
			batches:  counter("outrigger_batches_total", "Batches that were first seen in a state, in answers to calls.", "upstream", "status"),
			observed: counter("outrigger_observed_total", "Requests in observe mode, by what enforce mode would have done.", "would"),
		},
		models: modelLabels{known: map[string]string{}},
		series: seriesCache{known: map[seriesKey]requestSeries{}},
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.requests, m.duration, m.firstEvent, m.attempts, m.retries, m.refused, m.failovers, m.clientRetries,
		m.queue, m.streamsOpen, m.streamsEnded, m.resumes, m.panics, m.tokens, m.idempotency, m.batches, m.observed, m.callers.requests, m.callers.tokens,
	} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

// Begin implements Recorder.
func (m *Metrics) Begin(kind Kind, _ string) {
	if kind == SpanStream {
		m.streamsOpen.Inc()
	}
}

// Span implements Recorder.
func (m *Metrics) Span(_ string, s Span) {
	switch s.Kind {
	case SpanQueue:
		if s.Reason == QueueRate || s.Reason == QueueConcurrency {
			m.lane(s.Lane).queued.Observe(s.End.Sub(s.Start).Seconds())
		}
	case SpanAttempt:
		m.lane(s.Lane).attempt(s.Try.Outcome)
		switch {
		case s.Try.Repeated:
			m.retries.WithLabelValues(s.Lane, s.Reason).Inc()
		case s.Try.Refused:
			m.refused.WithLabelValues(s.Lane, s.Reason).Inc()
		}
	case SpanRefused:
		m.refused.WithLabelValues(s.Lane, s.Reason).Inc()
	case SpanFailover:
		m.failovers.WithLabelValues(s.Lane, s.Reason).Inc()
	case SpanClientRetry:
		m.lane(s.Lane).clientRetries.Inc()
	case SpanStream:
		m.streamsOpen.Dec()
		m.streamsEnded.WithLabelValues(s.Lane, s.Reason).Inc()
	case SpanResume:
		m.resumes.WithLabelValues(s.Lane, s.Reason).Inc()
	case SpanIdempotency:
		m.idempotency.WithLabelValues(s.Reason).Inc()
	case SpanBatch:
		for _, status := range [...]string{"failed", "expired"} {
			m.batches.WithLabelValues(s.Lane, status) // from 0 on: the first one would be no increase to Prometheus
		}
		m.batches.WithLabelValues(s.Lane, s.Reason).Inc()
	case SpanPanic:
		m.panics.WithLabelValues(s.Reason).Inc()
	}
}

// Notice implements Recorder.
func (*Metrics) Notice(Notice) {}

// Done implements Recorder.
func (m *Metrics) Done(e *Event) {
	if e.Foreseen != nil {
		for _, would := range e.Foreseen.Would {
			m.observed.WithLabelValues(string(would)).Inc()
		}
		return
	}
	if !e.Alone { // that its caller left was counted then
		key := seriesKey{cmp.Or(e.Upstream, noLabel), cmp.Or(e.Call.Endpoint.Name, noLabel), e.Result.Status, e.Result.Result()}
		series := m.seriesOf(key)
		series.requests.Inc()
		series.duration.Observe(e.Took().Seconds())
		if e.Result.First > 0 {
			series.first.Observe(e.Result.First.Seconds())
		}
	}
	m.used(e)
	m.callers.done(e)
}

// noLabel stands for what a request has none of.
const noLabel = "none"

// used counts the tokens of a call.
func (m *Metrics) used(e *Event) {
	if n := e.Result.PromptTokens; n > 0 {
		m.tokens.WithLabelValues(cmp.Or(e.Upstream, noLabel), m.models.label(e.Sent), "input").Add(float64(n))
	}
	if n := e.Result.CompletionTokens; n > 0 {
		m.tokens.WithLabelValues(cmp.Or(e.Upstream, noLabel), m.models.label(e.Sent), "output").Add(float64(n))
	}
}

// Model returns the label of a model. One that no answer has shown to exist takes none that
// another could need.
func (m *Metrics) Model(model string, proven bool) string { return m.models.of(model, proven) }

// modelLabels maps what callers call a model to a bounded set of label values.
type modelLabels struct {
	mu    sync.Mutex
	known map[string]string
}

// of returns the label of a model. One that no answer has shown to exist takes none that
// another could need.
func (l *modelLabels) of(model string, proven bool) string {
	if proven {
		return l.label(model)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if label, ok := l.known[model]; ok {
		return label
	}
	return otherModels
}

// otherModels is the label of models that have none of their own.
const otherModels = "other"

func (l *modelLabels) label(model string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if label, ok := l.known[model]; ok {
		return label
	}
	if len(l.known) >= maxModels {
		return otherModels
	}
	label := model
	if label == "" {
		label = "none"
	}
	label = wire.LabelText(label)
	l.known[model] = label
	return label
}
