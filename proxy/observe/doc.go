// Package observe tells the log and Prometheus what happens.
//
// Its center is Recorder. The request path tells it spans (a wait, an attempt, a stream),
// notices for operators, and one Event for each request at its true end. Log and Metrics
// implement it, as does package recent for the status page; Recorders tells several. A stage
// never touches a metric or a logger: a new metric is a change in this package alone.
//
// Values that callers choose are bounded before they become a label: the model label has
// at most MaxModels values.
package observe
