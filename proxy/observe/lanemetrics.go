package observe

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/classify"
)

// laneMetrics are one upstream's series that are on every request's path, looked up once.
type laneMetrics struct {
	name          string
	all           *Metrics
	queued        prometheus.Observer
	clientRetries prometheus.Counter
	attempts      sync.Map // classify.Outcome -> prometheus.Counter
}

// lane returns the series of an upstream.
func (m *Metrics) lane(name string) *laneMetrics {
	if l, ok := m.lanes.Load(name); ok {
		return l.(*laneMetrics)
	}
	l, _ := m.lanes.LoadOrStore(name, &laneMetrics{
		name: name, all: m,
		queued:        m.queue.WithLabelValues(name),
		clientRetries: m.clientRetries.WithLabelValues(name),
	})
	return l.(*laneMetrics)
}

func (l *laneMetrics) attempt(o classify.Outcome) {
	if c, ok := l.attempts.Load(o); ok {
		c.(prometheus.Counter).Inc()
		return
	}
	c := l.all.attempts.WithLabelValues(l.name, o.String())
	l.attempts.Store(o, c)
	c.Inc()
}
