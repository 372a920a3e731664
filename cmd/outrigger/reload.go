package main

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/proxy/admin"
	"outrigger/proxy/settings"
)

// What may come of a reload, as a label of outrigger_reloads_total.
const (
	reloadApplied   = "applied"
	reloadRefused   = "refused"
	reloadUnchanged = "unchanged"
)

// reloader puts a changed configuration into force while the process runs, or leaves all as
// it is: never a part of it. Reloads come one at a time; the rest is safe for concurrent use.
type reloader struct {
	log          *slog.Logger
	level        *slog.LevelVar
	proxy        interface{ Reload(c settings.Config) error }
	certificates *certificates
	results      *prometheus.CounterVec

	mu      sync.Mutex
	config  config.Config // in force
	since   time.Time     // when it was put there
	refused refusal       // the latest, if the configuration that it was about was not put right since
}

// refusal is a reload that came to nothing. The zero value is none.
type refusal struct {
	at  time.Time
	why string
}

// newReloader returns one that reloads nothing before it is told to watch. Until then, proxy
// and certificates are to be set.
func newReloader(c *config.Config, log *slog.Logger, level *slog.LevelVar, registry prometheus.Registerer) *reloader {
	r := &reloader{log: log, level: level, config: *c, since: time.Now()}
	r.results = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "outrigger_reloads_total", Help: "Reloads of the configuration, by result."}, []string{"result"})
	registry.MustRegister(r.results)
	for _, result := range [...]string{reloadApplied, reloadRefused, reloadUnchanged} {
		r.results.WithLabelValues(result) // an alert wants a 0 before the first
	}
	return r
}

// current is the configuration in force.
func (r *reloader) current() config.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config
}

// reloadAll reads all anew that may have changed, certificates included.
func (r *reloader) reloadAll() {
	next, err := r.current().Reload()
	apply := func() {}
	if err == nil {
		apply, err = r.certificates.reload()
	}
	r.take("SIGHUP", next, err, apply)
}

// reloadSecrets reads the files of secrets anew.
func (r *reloader) reloadSecrets() {
	next, err := r.current().ReloadSecrets()
	r.take("a changed secret file", next, err, func() {})
}

// take puts next into force, and what apply does, unless err says that something is wrong
// with it. It tells what came of it.
func (r *reloader) take(cause string, next config.Config, err error, apply func()) {
	now := r.current()
	changed := now.Changed(next)
	if err == nil && len(changed) > 0 {
		err = r.proxy.Reload(next.Config)
	}
	if err != nil {
		why := strings.ReplaceAll(err.Error(), "\n", "; ")
		r.log.Warn("configuration refused: all stays as it was", slog.String("cause", cause), slog.String("error", why))
		r.results.WithLabelValues(reloadRefused).Inc()
		r.mu.Lock()
		r.refused = refusal{time.Now(), why}
		r.mu.Unlock()
		return
	}
	apply()
	r.mu.Lock()
	next.Warnings = now.Warnings
	r.config, r.refused = next, refusal{}
	if len(changed) > 0 {
		r.since = time.Now()
	}
	r.mu.Unlock()
	if len(changed) == 0 {
		r.results.WithLabelValues(reloadUnchanged).Inc()
		r.log.Info("configuration read again: no setting has changed", slog.String("cause", cause))
		return
	}
	r.results.WithLabelValues(reloadApplied).Inc()
	r.level.Set(min(now.LogLevel, next.LogLevel))
	r.log.Info("configuration reloaded", slog.String("cause", cause), slog.Any("changed", changed), slog.Any("upstreams", describeUpstreams(&next)))
	if slices.Contains(changed, config.Prefix+"UPSTREAMS") {
		tellWaysOut(&next, r.log)
	}
	r.level.Set(next.LogLevel)
}

// part is what /readyz?verbose says of the configuration.
func (r *reloader) part() admin.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := admin.Part{Name: "configuration", OK: r.refused == refusal{}, Text: "in force since " + r.since.UTC().Format(time.RFC3339)}
	if !p.OK {
		p.Text += "; a reload was refused at " + r.refused.at.UTC().Format(time.RFC3339) + ": " + r.refused.why
	}
	return p
}

// MarshalJSON writes the variables in force, for /config.
func (r *reloader) MarshalJSON() ([]byte, error) { return json.Marshal(r.current().Variables) }
