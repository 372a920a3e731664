package proxy

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/limit"
)

// maxLimitSeries bounds the limiters that are shown in metrics: callers choose
// credentials and models. /status.json has all.
const maxLimitSeries = 200

// liveCollector reads what has a present value at the moment of the scrape. A
// gauge that is set at changes would lie: a breaker, for one, goes from open to
// half-open when it is asked.
type liveCollector struct{ p *Proxy }

var (
	descInflight  = describeGauge("outrigger_inflight", "Requests on their way.")
	descBody      = describeGauge("outrigger_body_bytes", "Request bodies held.", "where")
	descBreaker   = describeGauge("outrigger_breaker_state", "0 closed, 1 half-open, 2 open.", "upstream")
	descDepth     = describeGauge("outrigger_queue_depth", "Requests in the limiters' lines.", "upstream")
	descLimit     = describeGauge("outrigger_limit", "Limits known or learned, per minute; of a dimension named _long, per hour or day.", "upstream", "model", "dimension")
	descRemaining = describeGauge("outrigger_limit_remaining", "What may be sent now under a limit.", "upstream", "model", "dimension")
	descTripped   = describeGauge("outrigger_credential_tripped", "1 for each dead credential that is answered from memory.", "upstream", "credential")
)

func describeGauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *liveCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{descInflight, descBody, descBreaker, descDepth, descLimit, descRemaining, descTripped} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *liveCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	memory, spooled := c.p.bodies.Usage()
	gauge(descInflight, float64(c.p.Inflight()))
	gauge(descBody, float64(memory), "memory")
	gauge(descBody, float64(spooled), "spool")
	for _, u := range c.p.upstreams {
		gauge(descBreaker, float64(u.gate.breaker.State()), u.config.Name)
		c.limits(u, gauge)
		tripped := map[string]bool{}
		now := time.Now()
		u.trips.trips.Each(func(key lineKey, _ *saved, until time.Time) bool {
			if key.model == "" && now.Before(until) {
				tripped[key.credential.label()] = true
			}
			return true
		})
		for credential := range tripped {
			gauge(descTripped, 1, u.config.Name, credential)
		}
	}
}

// limits emits the limiters of u: the tightest for each model and dimension,
// since credentials are not a label here.
func (c *liveCollector) limits(u *upstream, gauge func(*prometheus.Desc, float64, ...string)) {
	type series struct{ model, dimension string }
	limits, remaining, depth := map[series]float64{}, map[series]float64{}, 0
	u.lines.each(time.Now(), func(key lineKey, s limit.Snapshot) {
		depth += s.Queue
		for _, b := range s.Buckets {
			k := series{c.p.metrics.models.label(key.model), b.Dimension}
			if known, ok := remaining[k]; ok && known <= b.Remaining || len(limits) >= maxLimitSeries {
				continue
			}
			limits[k], remaining[k] = b.Limit, b.Remaining
		}
	})
	gauge(descDepth, float64(depth), u.config.Name)
	for k := range limits {
		gauge(descLimit, limits[k], u.config.Name, k.model, k.dimension)
		gauge(descRemaining, remaining[k], u.config.Name, k.model, k.dimension)
	}
}
