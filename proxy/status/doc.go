// Package status reads the present state of limiters, breakers, calls and stores, for the
// status page and for Prometheus.
//
// Its center is Source, which knows where the state is; Status is a copy of it, ready to
// be encoded as JSON. NewCollector gives the same state to Prometheus when it is scraped,
// so that nothing has to be counted on the request path.
//
// A credential appears as the beginning of its hash. A model that no answer has shown to
// exist does not become a metric's label of its own.
package status
