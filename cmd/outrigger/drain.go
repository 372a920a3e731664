package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// errDrainTimeout is why requests end that a drain did not wait for.
var errDrainTimeout = errors.New("the process is shutting down")

const (
	// drainPoll is how often a drain looks whether requests are still running.
	drainPoll = 20 * time.Millisecond
	// cancelGrace is how long cancelled requests have to tell their callers.
	cancelGrace = time.Second
)

// drain is an orderly end: nobody is cut off who can be waited for.
type drain struct {
	log     *slog.Logger
	delay   time.Duration // OUTRIGGER_DRAIN_DELAY
	timeout time.Duration // OUTRIGGER_DRAIN_TIMEOUT
	ready   *atomic.Bool
	proxy   interface {
		Drain()
		TurnAway(until time.Time)
		Cancel(cause error)
		Inflight() int
	}
	server interface {
		SetKeepAlivesEnabled(enabled bool)
		Shutdown(ctx context.Context) error
		Close() error
	}
}

// run goes through the phases, each of them logged: readiness goes off; for delay
// all goes on, so that load balancers can notice; then new requests are refused,
// on listeners that stay open to say so, as are those that wait and would get their
// turn too late, and running ones may finish; after timeout what still runs is
// cancelled. It returns nil once all is over, or the cause of abort, which cancels
// all in any phase.
func (d *drain) run(abort context.Context) error {
	defer func() { _ = d.server.Close() }() // what is still open then is not ours to mend
	d.ready.Store(false)
	d.log.Info("drain: not ready any more, still taking requests", slog.String("for", d.delay.String()))
	if !sleep(abort, d.delay) {
		return d.cut(context.Cause(abort))
	}

	d.proxy.Drain()
	d.server.SetKeepAlivesEnabled(false)
	d.proxy.TurnAway(time.Now().Add(d.timeout))
	d.log.Info("drain: refusing new requests, waiting for running ones",
		slog.Int("inflight", d.proxy.Inflight()), slog.String("at_most", d.timeout.String()))
	waiting, cancel := context.WithTimeout(abort, d.timeout)
	defer cancel()
	if d.idle(waiting) && d.server.Shutdown(waiting) == nil {
		d.log.Info("drain: all requests finished")
		return nil
	}
	if abort.Err() != nil {
		return d.cut(context.Cause(abort))
	}

	d.log.Warn("drain: out of time, cancelling what still runs", slog.Int("inflight", d.proxy.Inflight()))
	d.proxy.Cancel(errDrainTimeout)
	telling, cancel := context.WithTimeout(abort, cancelGrace)
	defer cancel()
	if d.idle(telling) {
		_ = d.server.Shutdown(telling) // what it cannot close in time, Close does
	}
	return context.Cause(abort)
}

// cut cancels all at once. Each request is told, and logged as what it is: one that
// Outrigger ended, not its caller.
func (d *drain) cut(cause error) error {
	d.proxy.Drain()
	d.log.Warn("drain: cut short, cancelling what still runs", slog.Int("inflight", d.proxy.Inflight()))
	d.proxy.Cancel(cause)
	telling, cancel := context.WithTimeout(context.Background(), cancelGrace)
	defer cancel()
	d.idle(telling)
	return cause
}

// idle waits until no request runs, and reports whether that was before ctx ended.
func (d *drain) idle(ctx context.Context) bool {
	for d.proxy.Inflight() > 0 {
		if !sleep(ctx, drainPoll) {
			return false
		}
	}
	return true
}

// sleep waits for d and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
