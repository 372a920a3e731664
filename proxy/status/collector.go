package status

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/admission"
	"outrigger/proxy/gate"
	"outrigger/proxy/negative"
	"outrigger/proxy/response"
)

// liveCollector reads what has a present value at the moment of the scrape. A
// gauge that is set at changes would lie: a breaker, for one, goes from open to
// half-open when it is asked.
type liveCollector struct {
	source func() Source
	models func(model string, proven bool) string // labels
}

var (
	descInflight = describeGauge("outrigger_inflight", "Requests on their way.")
	descDetached = describeGauge("outrigger_detached_calls", "Calls that go on without a caller.")
	descApart    = describeGauge("outrigger_detached_bytes", "Memory that calls without a caller hold.")
	descBody     = describeGauge("outrigger_body_bytes", "Request bodies held.", "where")
	descBreaker  = describeGauge("outrigger_breaker_state", "0 closed, 1 half-open, 2 open; scope all is the whole upstream, others are an endpoint and model that are not closed.", "upstream", "scope")
	descStreaks  = describeGauge("outrigger_refusal_streaks", "Credentials and models whose refusals do not clear and are answered from memory.", "upstream")
	descTripped  = describeGauge("outrigger_credential_tripped", "1 for each dead credential that is answered from memory.", "upstream", "credential")
)

func describeGauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// NewCollector returns a collector of what source has at present. models returns the label of a
// model; proven says that an answer showed that it exists.
func NewCollector(source func() Source, models func(model string, proven bool) string) prometheus.Collector {
	return &liveCollector{source, models}
}

// Describe implements prometheus.Collector.
func (c *liveCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{descInflight, descDetached, descApart, descBody, descBreaker, descTripped, descStreaks, descConcurrency, descRunning, descBudget} {
		out <- d
	}
	describeLimits(out)
	describeFleet(out)
}

// Collect implements prometheus.Collector.
func (c *liveCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	p := c.source()
	memory, spooled := p.Bodies.Usage()
	gauge(descInflight, float64(p.Inflight.Count()))
	apart := p.Calls.Detached.Load()
	gauge(descDetached, float64(apart.Calls))
	gauge(descApart, float64(apart.Bytes))
	gauge(descBody, float64(memory), "memory")
	gauge(descBody, float64(spooled), "spool")
	if p.Fleet != nil {
		collectFleet(out, p.Fleet.Status(false))
	}
	for _, u := range p.Lanes {
		gauge(descBreaker, float64(u.Gate.Breaker.State()), u.Config.Name, gate.AllScopes)
		worst := map[string]float64{} // two scopes may have one label: long names are cut
		u.Scopes.Each(func(s gate.Scope, g *gate.Gate) {
			worst[s.String()] = max(worst[s.String()], float64(g.Breaker.State()))
		})
		for name, state := range worst {
			gauge(descBreaker, state, u.Config.Name, name)
		}
		c.limits(u, out, c.concurrency(u, out))
		tripped, streaks := map[string]bool{}, map[admission.Key]bool{}
		now := time.Now()
		gauge(descBudget, float64(u.Budget.Remaining(now)), u.Config.Name)
		u.Trips.Trips.Each(func(key negative.Key, answer *response.Buffered, until time.Time) bool {
			if !answer.Verdict.Trip {
				streaks[key.Key] = true
			}
			if key.Model == "" && now.Before(until) {
				tripped[key.Credential.Label()] = true
			}
			return true
		})
		gauge(descStreaks, float64(len(streaks)), u.Config.Name)
		for credential := range tripped {
			gauge(descTripped, 1, u.Config.Name, credential)
		}
	}
}
