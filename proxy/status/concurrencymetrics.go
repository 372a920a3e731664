package status

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/concurrency"
	"outrigger/policy/priority"
	"outrigger/proxy/admission"
	"outrigger/proxy/lane"
)

// allModels is the model label of what concerns an upstream as a whole.
const allModels = "all"

var (
	descConcurrency = describeGauge("outrigger_concurrency_limit", "Learned limits on calls in flight, the tightest of a model; model all is the whole upstream.", "upstream", "model")
	descRunning     = describeGauge("outrigger_concurrency_inflight", "Calls in flight under a learned limit; model all is the whole upstream, limited or not.", "upstream", "model")
	descBudget      = describeGauge("outrigger_retry_budget_remaining", "Retries that may start now.", "upstream")
)

// concurrency emits what is known of limits on calls in flight at u, and returns how many
// wait for them.
func (c *liveCollector) concurrency(u *lane.Lane, out chan<- prometheus.Metric) priority.Counts {
	emit := func(d *prometheus.Desc, n int, model string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), u.Config.Name, model)
	}
	now := time.Now()
	whole := u.Slots.Status(now)
	queued := whole.Waiting
	emit(descRunning, whole.Running, allModels)
	if whole.Limit > 0 {
		emit(descConcurrency, whole.Limit, allModels)
	}
	tightest := map[string]concurrency.Snapshot{}
	u.Queues.EachSlots(now, func(key admission.Key, s admission.ConcurrencyStatus, proven bool) {
		queued.Add(s.Waiting)
		if s.Limit == 0 {
			return
		}
		model := c.models(key.Model, proven)
		if known, ok := tightest[model]; !ok || s.Limit < known.Limit {
			tightest[model] = s.Snapshot
		}
	})
	for model, s := range tightest {
		if model == allModels { // a caller calls one so
			continue
		}
		emit(descConcurrency, s.Limit, model)
		emit(descRunning, s.Running, model)
	}
	return queued
}
