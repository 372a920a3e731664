package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/fleet/server"
	"outrigger/proxy/observe"
)

// probeEach is how often a server that is away is asked whether it is back.
const probeEach = 250 * time.Millisecond

// connectTrips is how many exchanges connect makes.
const connectTrips = 4

// health is whether the server can be used.
type health struct {
	parts atomic.Int64 // into which limits are divided while it cannot; 0 while it can
	clock atomic.Int64 // microseconds that its clock is ahead of this process's time; 0 is unknown

	mu    sync.Mutex
	cause error // why it cannot, nil if it can
	since time.Time
	lost  int // how often
}

// connect checks the server, and learns the secret and who is there. One that takes longer than so
// many exchanges may is not found: leases would fail.
func (f *Fleet) connect(ctx context.Context, within time.Duration) error {
	start := time.Now()
	if err := f.check(ctx); err != nil {
		return err
	}
	if err := f.beat(ctx); err != nil {
		return err
	}
	if time.Since(start) >= within {
		return server.Explain(f.server.Name, context.DeadlineExceeded)
	}
	f.found()
	return nil
}

// lost notes that the server cannot be used, and has it asked until it can.
func (f *Fleet) lost(err error) {
	h := &f.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause != nil || f.ending.Err() != nil {
		return
	}
	h.cause, h.since = err, time.Now()
	h.lost++
	h.parts.Store(max(1, f.beats.members.Load()))
	message := "the fleet's server cannot be used: this sidecar goes on with its part of each limit"
	if f.closed {
		message = "the fleet's server cannot be used: calls wait for it (OUTRIGGER_FLEET_FAIL)"
	}
	observe.Changed(f.recorder, observe.ChangeFleet, "", slog.LevelWarn, message,
		slog.String("server", f.server.Name), slog.String("reason", string(server.ReasonOf(err))), slog.String("error", err.Error()),
		slog.Int64("parts", h.parts.Load()))
	f.background.Go(f.search)
}

// search asks the server until it can be used.
func (f *Fleet) search() {
	for {
		select {
		case <-f.ending.Done():
			return
		case <-time.After(probeEach):
		}
		ctx, cancel := context.WithTimeout(f.ending, probeEach)
		err := f.connect(ctx, connectTrips*timeout)
		cancel()
		if err == nil {
			return
		}
		f.health.mu.Lock()
		f.health.cause = err
		f.health.mu.Unlock()
	}
}

// found notes that the server can be used.
func (f *Fleet) found() {
	h := &f.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts.Store(0)
	if h.cause != nil {
		observe.Changed(f.recorder, observe.ChangeFleet, "", slog.LevelInfo, "the fleet's server can be used again: limits are shared",
			slog.String("server", f.server.Name), slog.Duration("after", time.Since(h.since).Round(time.Millisecond)))
	}
	h.cause = nil
}

// failed takes in an error of a call to the server.
func (f *Fleet) failed(err error) {
	if errors.Is(err, context.Canceled) && f.ending.Err() != nil {
		return
	}
	f.lost(server.Explain(f.server.Name, err))
}

// setClock notes what the server's clock says, in seconds from 2025 on.
func (f *Fleet) setClock(now float64) {
	f.health.clock.Store(int64(now*1e6) - f.elapsed().Microseconds())
}

// lateSlack is how much later than its sender gives up a script may begin.
const lateSlack = 20 * time.Millisecond

// late is when a script sent now is no longer to begin, in the server's time; 0 is unknown.
func (f *Fleet) late() float64 {
	clock := f.health.clock.Load()
	if clock == 0 {
		return 0
	}
	return float64(clock+(f.elapsed()+timeout+lateSlack).Microseconds()) / 1e6
}
