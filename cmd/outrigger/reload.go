package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"outrigger/internal/config"
	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// hangups gets a SIGHUP, from the first moment of the process. One that nobody takes, since
// nothing can be read anew or is just being read for the first time, waits.
var hangups = make(chan os.Signal, 1)

// outliveHangups has SIGHUP not end the process, from now on.
func outliveHangups() { signal.Notify(hangups, syscall.SIGHUP) }

// watchHangups calls reload at each SIGHUP until ctx ends.
func watchHangups(ctx context.Context, reload func()) {
	go func() {
		for {
			select {
			case <-hangups:
				reload()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// reloader takes in what can change while the process runs: certificates, and the files of
// client tokens and of what upstreams are called with. All else needs a restart.
type reloader struct {
	config       *config.Config    // as at the start
	inForce      []config.Variable // those of config, with what was taken in since
	log          *slog.Logger
	proxy        interface{ SetSecrets(c settings.Config) }
	certificates *certificates
}

func newReloader(c *config.Config, log *slog.Logger, p *proxy.Proxy, of *certificates) *reloader {
	return &reloader{config: c, inForce: slices.Clone(c.Variables), log: log, proxy: p, certificates: of}
}

// reload reads all files anew. If one of them cannot be used, all stay as they are.
func (r *reloader) reload() {
	next, err := r.config.Reload()
	var apply func()
	if err == nil {
		apply, err = r.certificates.reload()
	}
	if err != nil {
		r.log.Warn("SIGHUP: a file cannot be used, so all stays as it was", slog.String("error", strings.ReplaceAll(err.Error(), "\n", "; ")))
		return
	}
	apply()
	r.proxy.SetSecrets(next.Config)
	changed, kept := r.changes(next.Variables)
	r.log.Info("SIGHUP: certificates and secret files were read again; the rest of the configuration is read at the start only",
		slog.Any("changed", changed))
	if len(kept) > 0 {
		r.log.Warn("SIGHUP: a changed file takes effect at the next start only", slog.Any("variables", kept))
	}
	for i, v := range next.Variables {
		if !slices.Contains(kept, v.Name) {
			r.inForce[i] = v
		}
	}
}

// changes returns the variables whose files say something else than what is in force, and
// those among them that the process cannot take in.
func (r *reloader) changes(next []config.Variable) (changed, kept []string) { //nolint:nonamedreturns // the names tell them apart
	changed = []string{}
	for i, v := range next {
		switch {
		case v.Same(r.inForce[i]):
		case v.Name == config.Prefix+"CLIENT_TOKENS", strings.HasPrefix(v.Name, config.Prefix+"UPSTREAM_"):
			changed = append(changed, v.Name)
		default:
			kept = append(kept, v.Name)
		}
	}
	return changed, kept
}
