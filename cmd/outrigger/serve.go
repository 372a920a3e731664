package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"outrigger/internal/config"
	"outrigger/internal/connbound"
	"outrigger/internal/resources"
	"outrigger/proxy"
	"outrigger/proxy/admin"
	"outrigger/proxy/page"
)

// runServe is the main job: it returns after a drain, or when it cannot go on.
func runServe(ctx context.Context, c call) int {
	cfg, err := config.LoadForServe(ctx, c.environ)
	if err != nil {
		return refuse(c.stderr, err)
	}
	// A log that nobody reads any more is no reason to end: without this a write to a closed
	// standard error does (os/signal, SIGPIPE).
	signal.Ignore(syscall.SIGPIPE)
	level := &slog.LevelVar{}
	level.Set(cfg.LogLevel)
	to, flush := logWriter(c.stderr)
	defer flush()
	log := newLogger(to, cfg.LogFormat, level, wantsNoColor(c.environ))
	defer takeStandardLog(log)()
	err = serve(ctx, &cfg, log, level, c.environ)
	flush()
	if err != nil {
		fmt.Fprintf(c.stderr, "outrigger: %v\n", err)
		return exitError
	}
	return exitOK
}

// wantsNoColor reports whether NO_COLOR is set and not empty (https://no-color.org).
func wantsNoColor(environ []string) bool { return isSet("NO_COLOR", environ) }

// isSet reports whether a variable is set and not empty.
func isSet(name string, environ []string) bool {
	for _, entry := range environ {
		if key, value, ok := strings.Cut(entry, "="); ok && key == name {
			return value != ""
		}
	}
	return false
}

// serve opens the listeners, serves until ctx ends or a signal comes, and drains. level is
// that of log. environ says whether traces are sent; all else is in cfg.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, level *slog.LevelVar, environ []string) error {
	stop, abort, release := watchSignals(ctx)
	defer release()

	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	resources.LimitHeap()
	if !isSet("GOGC", environ) {
		resources.PaceCollector()
	}
	tellWaysOut(cfg, log)
	for _, warning := range cfg.Warnings {
		log.Warn("a part of the configuration will not work", slog.String("reason", warning))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	deps := proxy.Deps{Log: log, Registry: registry, Proxies: cfg.Proxies}
	tracer, err := newTracer(environ, cfg, log, registry)
	if err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	if tracer != nil {
		deps.Tracer = tracer
		defer tracer.Close()
	}
	handler, err := proxy.New(cfg.Config, deps)
	if err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	defer func() { _ = handler.Close() }()

	reload := newReloader(cfg, log, level, registry)
	failed, ready := make(chan error, 2), &atomic.Bool{}
	if cfg.AdminListen != "" {
		listener, err := listen(ctx, config.Prefix+"ADMIN_LISTEN", cfg.AdminListen, log)
		if err != nil {
			return err
		}
		bounded := connbound.New(listener, connbound.Options{Most: adminConnections(), Short: true, Lack: lackOf("admin", log)})
		server := newAdminServer(admin.New(admin.Options{
			Listen:  listener.Addr().String(),
			Ready:   ready.Load,
			Metrics: registry,
			Status:  func() any { return handler.Status() },
			Config:  reload,
			Parts:   func() []admin.Part { return []admin.Part{reload.part()} },
			Page:    page.New(page.Source{Status: handler.Status, Recent: handler.Recent()}),
		}), log)
		server.ConnState = bounded.State
		defer server.Close()
		start("admin", server, bounded, failed, log)
	}
	certificates, err := newCertificates(cfg, log)
	if err != nil {
		return err
	}
	reload.proxy, reload.certificates = handler, certificates
	reload.watch(running)
	listener, bounded, err := listenTraffic(ctx, cfg, certificates, log)
	if err != nil {
		return err
	}
	traffic, err := newTraffic(handler, listener, cfg, log, registry)
	if err != nil {
		return err
	}
	defer traffic.Close()
	server := newTrafficServer(traffic, log)
	server.ConnState = bounded.State
	defer server.Close()
	tellStart(cfg, log)
	ready.Store(true) // connections are taken from here on, by the backlog at first
	start("traffic", server, listener, failed, log)

	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	now := reload.current()
	d := &drain{log: log, delay: now.DrainDelay, timeout: now.DrainTimeout, ready: ready, proxy: traffic, server: server}
	if err := d.run(abort); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// start serves in the background. A listener that fails is reported on failed.
func start(name string, server *http.Server, listener net.Listener, failed chan<- error, log *slog.Logger) {
	log.Info("listening", slog.String("listener", name), slog.String("address", listener.Addr().String()))
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("the %s listener broke: %w", name, err)
		}
	}()
}
