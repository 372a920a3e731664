package proxy

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/classify"
)

// upstreamMetrics are one upstream's series, looked up once.
type upstreamMetrics struct {
	name          string
	all           *metrics
	queued        prometheus.Observer
	clientRetries prometheus.Counter
	attempts      sync.Map // classify.Outcome -> prometheus.Counter
}

func (m *metrics) upstream(name string) *upstreamMetrics {
	return &upstreamMetrics{
		name: name, all: m,
		queued:        m.queue.WithLabelValues(name),
		clientRetries: m.clientRetries.WithLabelValues(name),
	}
}

func (u *upstreamMetrics) attempt(o classify.Outcome) {
	if c, ok := u.attempts.Load(o); ok {
		c.(prometheus.Counter).Inc()
		return
	}
	c := u.all.attempts.WithLabelValues(u.name, o.String())
	u.attempts.Store(o, c)
	c.Inc()
}

func (u *upstreamMetrics) retried(reason string) { u.all.retries.WithLabelValues(u.name, reason).Inc() }

func (u *upstreamMetrics) refusedRetry(reason string) {
	u.all.refused.WithLabelValues(u.name, reason).Inc()
}

func (u *upstreamMetrics) failedOver(reason string) {
	u.all.failovers.WithLabelValues(u.name, reason).Inc()
}

func (u *upstreamMetrics) streamEnded(o outcome) {
	u.all.streamsEnded.WithLabelValues(u.name, string(o)).Inc()
}

func (u *upstreamMetrics) resumed(result string) { u.all.resumes.WithLabelValues(u.name, result).Inc() }
