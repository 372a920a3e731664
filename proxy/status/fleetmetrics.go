package status

import (
	"github.com/prometheus/client_golang/prometheus"

	"outrigger/proxy/fleet"
)

var (
	descMembers    = describeGauge("outrigger_fleet_members", "Sidecars that shared limits in the last eight seconds, as last told.")
	descDegraded   = describeGauge("outrigger_fleet_degraded", "1 while the server of the fleet cannot be used.")
	descLeases     = describeGauge("outrigger_fleet_leases_total", "Leases asked for, by result: granted, waiting, returned, failed.", "result")
	descRoundTrips = describeGauge("outrigger_fleet_round_trip_seconds", "How long the server of the fleet takes to answer.")
)

func describeFleet(out chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{descMembers, descDegraded, descLeases, descRoundTrips} {
		out <- d
	}
}

// collectFleet writes what is known of the fleet.
func collectFleet(out chan<- prometheus.Metric, s fleet.Status) {
	degraded := 0.0
	if s.Degraded {
		degraded = 1
	}
	out <- prometheus.MustNewConstMetric(descMembers, prometheus.GaugeValue, float64(s.MemberCount))
	out <- prometheus.MustNewConstMetric(descDegraded, prometheus.GaugeValue, degraded)
	for result, n := range s.Leases {
		out <- prometheus.MustNewConstMetric(descLeases, prometheus.CounterValue, float64(n), result)
	}
	out <- prometheus.MustNewConstHistogram(descRoundTrips, s.RoundTrips.Count, s.RoundTrips.Sum, s.RoundTrips.Buckets)
}
