package status

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/policy/limit"
	"outrigger/policy/priority"
	"outrigger/proxy/admission"
	"outrigger/proxy/lane"
)

// maxLimitSeries bounds the limiters that are shown in metrics: callers choose
// credentials and models. /status.json has all.
const maxLimitSeries = 200

var (
	descDepth     = describeGauge("outrigger_queue_depth", "Requests that wait in the queues for a rate limit or a limit on calls in flight.", "upstream", "priority")
	descLimit     = describeGauge("outrigger_limit", "Limits known or learned, per minute; of a dimension named _long, per hour or day.", "upstream", "model", "dimension")
	descRemaining = describeGauge("outrigger_limit_remaining", "What may be sent now under a limit.", "upstream", "model", "dimension")
	descSource    = describeGauge("outrigger_limit_source", "1 for how a limit came to be known.", "upstream", "model", "dimension", "source")
	descPause     = describeGauge("outrigger_limit_pause_seconds", "How long nobody will be sent, whatever the limits.", "upstream", "model")
	descShared    = describeGauge("outrigger_limit_shared", "Credentials and models that share the limiter of another, since answers show one account.", "upstream")
	descIgnored   = prometheus.NewDesc("outrigger_limit_ignored_total", "What upstreams told about limits that made no sense, or contradicted what was seen.", []string{"upstream", "what"}, nil)
)

func describeLimits(out chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{descDepth, descLimit, descRemaining, descSource, descPause, descShared, descIgnored} {
		out <- d
	}
}

// limitSeries tells limits apart in metrics.
type limitSeries struct{ model, dimension string }

// limits emits the limiters of u: the tightest for each model and dimension, and
// the longest pause, since credentials are not a label here. To the queues' depth come
// those that wait elsewhere.
func (c *liveCollector) limits(u *lane.Lane, out chan<- prometheus.Metric, elsewhere priority.Counts) {
	emit := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, append([]string{u.Config.Name}, labels...)...)
	}
	tightest, pauses, depth, shared := map[limitSeries]limit.Bucket{}, map[string]float64{}, elsewhere, 0
	now := time.Now()
	counts := u.Queues.Each(now, func(keys []admission.Key, s limit.Snapshot, proven bool) {
		depth.Add(s.Waiting)
		if proven {
			shared += len(keys) - 1
		}
		for _, key := range keys {
			model := c.models(key.Model, proven)
			pauses[model] = max(pauses[model], s.GateUntil.Sub(now).Seconds())
			for _, b := range s.Buckets {
				k := limitSeries{model, b.Dimension}
				known, ok := tightest[k]
				if ok && b.Remaining < known.Remaining || !ok && len(tightest) < maxLimitSeries {
					tightest[k] = b
				}
			}
		}
	})
	for i, p := range priority.All {
		emit(descDepth, prometheus.GaugeValue, float64(depth[i]), p.String())
	}
	emit(descShared, prometheus.GaugeValue, float64(shared))
	for k, b := range tightest {
		emit(descLimit, prometheus.GaugeValue, perMinute(b), k.model, k.dimension)
		emit(descRemaining, prometheus.GaugeValue, b.Remaining, k.model, k.dimension)
		emit(descSource, prometheus.GaugeValue, 1, k.model, k.dimension, b.Source.String())
	}
	for model, seconds := range pauses {
		emit(descPause, prometheus.GaugeValue, seconds, model)
	}
	emit(descIgnored, prometheus.CounterValue, float64(counts.IgnoredHeaders), "header")
	emit(descIgnored, prometheus.CounterValue, float64(counts.IgnoredTexts), "text")
	emit(descIgnored, prometheus.CounterValue, float64(counts.IgnoredHints), "hint")
}

// perMinute is a limit by the minute, whatever shorter time it is told for; one by
// the hour or day is itself.
func perMinute(b limit.Bucket) float64 {
	if b.Window >= time.Hour {
		return b.Limit
	}
	return b.Limit * float64(time.Minute) / float64(b.Window)
}
