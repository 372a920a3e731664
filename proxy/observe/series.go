package observe

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/wire"
)

// seriesKey is what tells requests apart in metrics. All of it is bounded: names
// from configuration and tables, three digits of status.
type seriesKey struct {
	upstream, endpoint string
	status             int
	outcome            string
}

// requestSeries are the series that a request with one key touches.
type requestSeries struct {
	requests        prometheus.Counter
	duration, first prometheus.Observer
}

// seriesCache keeps series that were looked up: with their labels that takes
// longer than counting. Safe for concurrent use.
type seriesCache struct {
	mu    sync.RWMutex
	known map[seriesKey]requestSeries
}

func (m *Metrics) seriesOf(key seriesKey) requestSeries {
	m.series.mu.RLock()
	s, ok := m.series.known[key]
	m.series.mu.RUnlock()
	if ok {
		return s
	}
	s = requestSeries{
		requests: m.requests.WithLabelValues(key.upstream, key.endpoint, wire.StatusLabel(key.status), key.outcome),
		duration: m.duration.WithLabelValues(key.upstream, key.endpoint),
		first:    m.firstEvent.WithLabelValues(key.upstream, key.endpoint),
	}
	m.series.mu.Lock()
	defer m.series.mu.Unlock()
	m.series.known[key] = s
	return s
}
