package proxy

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/concurrency"
)

// allModels is the model label of what concerns an upstream as a whole.
const allModels = "all"

var (
	descConcurrency = describeGauge("outrigger_concurrency_limit", "Learned limits on calls in flight, the tightest of a model; model all is the whole upstream.", "upstream", "model")
	descRunning     = describeGauge("outrigger_concurrency_inflight", "Calls in flight under a learned limit; model all is the whole upstream, limited or not.", "upstream", "model")
	descBudget      = describeGauge("outrigger_retry_budget_remaining", "Retries that may start now.", "upstream")
)

// ConcurrencyStatus is what is known of a limit on calls in flight.
type ConcurrencyStatus struct {
	concurrency.Snapshot
	// Queue is how many wait for a call to end.
	Queue int `json:"queue"`
}

func (s *slots) status(now time.Time) ConcurrencyStatus {
	snapshot, queue := s.snapshot(now)
	return ConcurrencyStatus{snapshot, queue}
}

// concurrency emits what is known of limits on calls in flight at u, and returns how many
// wait for them.
func (c *liveCollector) concurrency(u *lane, out chan<- prometheus.Metric) int {
	emit := func(d *prometheus.Desc, n int, model string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), u.config.Name, model)
	}
	now := time.Now()
	whole := u.slots.status(now)
	queued := whole.Queue
	emit(descRunning, whole.Running, allModels)
	if whole.Limit > 0 {
		emit(descConcurrency, whole.Limit, allModels)
	}
	tightest := map[string]concurrency.Snapshot{}
	u.lines.eachSlots(now, func(key lineKey, s ConcurrencyStatus, proven bool) {
		queued += s.Queue
		if s.Limit == 0 {
			return
		}
		model := c.models(key.model, proven)
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

// eachSlots calls f with what is known of each credential's and model's calls in flight.
func (ls *lines) eachSlots(now time.Time, f func(key lineKey, s ConcurrencyStatus, proven bool)) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	for key, ln := range ls.byKey {
		f(key, ln.slots.status(now), ln.proven.Load())
	}
}
