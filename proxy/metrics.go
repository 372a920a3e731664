package proxy

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Buckets in seconds. The longest answers take ten minutes, OpenAI's SDKs' own
// timeout; a queue or a first event may take as long.
var secondsBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// maxModels bounds the model label, whose values callers choose. Later ones
// count as "other".
const maxModels = 50

// metrics are all that the traffic listener counts. Names are the contract with
// dashboards: see the README.
type metrics struct {
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
	live          *liveCollector

	models modelLabels
	series seriesCache
}

func newMetrics(p *Proxy) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: secondsBuckets}, labels)
	}
	return &metrics{
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
		live:          &liveCollector{p: p},
		models:        modelLabels{known: map[string]string{}},
		series:        seriesCache{known: map[seriesKey]requestSeries{}},
	}
}

func (m *metrics) register(r prometheus.Registerer) error {
	var errs []error
	for _, c := range []prometheus.Collector{
		m.requests, m.duration, m.firstEvent, m.attempts, m.retries, m.refused, m.failovers, m.clientRetries,
		m.queue, m.streamsOpen, m.streamsEnded, m.resumes, m.panics, m.tokens, m.live, m.live.p.idempotency.results,
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

// finished counts a request that has ended.
func (m *metrics) finished(x *exchange, took time.Duration) {
	key := seriesKey{"none", "none", x.record.status, x.record.result()}
	if x.up != nil {
		key.upstream = x.up.config.Name
	}
	if x.endpoint.Name != "" {
		key.endpoint = x.endpoint.Name
	}
	series := m.seriesOf(key)
	series.requests.Inc()
	series.duration.Observe(took.Seconds())
	if x.record.first > 0 {
		series.first.Observe(x.record.first.Seconds())
	}
	m.used(x)
}

// used counts the tokens of a call.
func (m *metrics) used(x *exchange) {
	upstream := "none"
	if x.up != nil {
		upstream = x.up.config.Name
	}
	if x.record.promptTokens > 0 {
		m.tokens.WithLabelValues(upstream, m.models.label(x.sent), "input").Add(float64(x.record.promptTokens))
	}
	if x.record.completionTokens > 0 {
		m.tokens.WithLabelValues(upstream, m.models.label(x.sent), "output").Add(float64(x.record.completionTokens))
	}
}

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
	label = labelText(label)
	l.known[model] = label
	return label
}
