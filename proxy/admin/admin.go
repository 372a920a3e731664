// Package admin serves what an operator, a probe or a scraper asks of a running Outrigger:
// liveness, readiness, metrics, status, configuration and the status page.
//
// It is read-only and shows no secret, so it has no login. The threat is the browser of the
// person at the same machine: a page on the internet can make that browser send requests to
// 127.0.0.1, and can read the answers once its own DNS name is rebound to that address. So,
// on a loopback listener, requests must name a loopback host, and may not come from a page
// of another origin.
package admin

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options is what the handler shows. Every function must be safe for concurrent use.
type Options struct {
	// Listen is the address that the handler is served on, host:port. Host and
	// Origin of requests are checked if and only if it is a loopback one.
	Listen string
	// Ready reports whether traffic is taken; it must turn false when a drain starts.
	Ready func() bool
	// Parts are what /readyz?verbose tells beside; nil is nothing.
	Parts func() []Part
	// Metrics is what /metrics shows.
	Metrics prometheus.Gatherer
	// Status returns what /status.json shows.
	Status func() any
	// Config is what /config shows: the resolved configuration, already redacted.
	Config any
	// Page is the status page with what feeds it; nil is none.
	Page http.Handler
}

// New returns the handler. It answers GET and HEAD, and has no effects.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		status, text := http.StatusOK, "ok"
		if !o.Ready() {
			status, text = http.StatusServiceUnavailable, "draining"
		}
		if r.URL.Query().Has("verbose") && o.Parts != nil {
			text += told(o.Parts())
		}
		answer(w, status, text)
	})
	mux.Handle("/metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("/status.json", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, o.Status())
	})
	mux.HandleFunc("/config", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, o.Config)
	})
	if o.Page != nil {
		mux.Handle("/", o.Page)
	}
	return guarded(o.Listen, mux)
}

// answer writes a line of plain text.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a caller that left is no concern of ours
}

// answerJSON writes v, indented: people read it as often as scripts do.
func answerJSON(w http.ResponseWriter, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		answer(w, http.StatusInternalServerError, "cannot encode: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}
