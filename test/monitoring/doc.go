// Package monitoring tests k8s/monitoring and the metrics of a running process with promtool,
// Prometheus' own tool (test/prepare.sh promtool fetches it).
package monitoring
