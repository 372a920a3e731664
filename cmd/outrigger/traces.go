package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/otlp"
	"outrigger/proxy/intercept"
	"outrigger/proxy/observe"
	"outrigger/proxy/trace"
)

// newTracer returns what records requests as traces; nil if the environment does not ask for
// that.
func newTracer(environ []string, cfg *config.Config, log *slog.Logger, registry prometheus.Registerer) (*trace.Tracer, error) {
	s, mistakes := otlp.Load(environ)
	for _, mistake := range mistakes {
		log.Warn("a variable of OpenTelemetry is not used", slog.String("reason", mistake))
	}
	if s.Explanation != "" {
		log.Info("traces are off", slog.String("reason", s.Explanation))
	}
	if !s.On() {
		return nil, nil //nolint:nilnil // nothing is wrong with that
	}
	spans, err := observe.NewTraceSpans(registry)
	if err != nil {
		return nil, err
	}
	client := otlp.NewClient(s, intercept.Outward(cfg.Proxies, cfg.Callers.Listen))
	t, err := trace.New(&s, client, trace.Deps{Log: log, Spans: spans, Version: version})
	if err == nil {
		log.Info("traces are on", slog.String("endpoint", s.Address()))
	}
	return t, err
}

// showTraces prints where traces would be sent, and what is wrong with their variables.
func showTraces(w io.Writer, environ []string) {
	s, mistakes := otlp.Load(environ)
	for _, mistake := range mistakes {
		fmt.Fprintln(w, "warning: "+mistake)
	}
	switch {
	case s.On():
		fmt.Fprintln(w, "traces are sent to "+s.Address())
	case s.Explanation != "":
		fmt.Fprintln(w, "traces are off: "+s.Explanation)
	}
}
