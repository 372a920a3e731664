package observe

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// callerMetrics count what callers with a name did. They have series of their own: a label on all
// others would multiply those. Callers without a name are not counted, so that there is no series
// where nobody has one.
type callerMetrics struct {
	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	known    sync.Map // callerKey -> prometheus.Counter
}

// callerKey is what tells requests of callers apart. Names are bounded; see package access.
type callerKey struct{ caller, outcome string }

// newCallerMetrics returns what counts callers, yet to be registered.
func newCallerMetrics(counter func(name, help string, labels ...string) *prometheus.CounterVec) callerMetrics {
	return callerMetrics{
		requests: counter("outrigger_caller_requests_total", "Requests of callers with a name that ended, by how.", "caller", "outcome"),
		tokens:   counter("outrigger_caller_tokens_total", "Tokens that upstreams said were used, by callers with a name.", "caller", "kind"),
	}
}

// done counts a request.
func (m *callerMetrics) done(e *Event) {
	caller := e.Call.CallerName
	if caller == "" {
		return
	}
	if !e.Alone { // that its caller left was counted then
		key := callerKey{caller, e.Result.Result()}
		c, ok := m.known.Load(key)
		if !ok {
			c, _ = m.known.LoadOrStore(key, m.requests.WithLabelValues(caller, key.outcome))
		}
		c.(prometheus.Counter).Inc()
	}
	if n := e.Result.PromptTokens; n > 0 {
		m.tokens.WithLabelValues(caller, "input").Add(float64(n))
	}
	if n := e.Result.CompletionTokens; n > 0 {
		m.tokens.WithLabelValues(caller, "output").Add(float64(n))
	}
}
