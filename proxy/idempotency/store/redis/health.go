package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/idempotency/claims"
)

// health is whether Redis is up, and what its clock says. While Redis is down every exchange
// fails at once, and maintain alone asks whether it is back.
type health struct {
	wake  chan struct{} // wakes maintain
	clock atomic.Int64  // microseconds that Redis's clock is ahead of processStart; 0: not known
	downs atomic.Int64  // how often Redis went down

	mu    sync.Mutex
	up    bool
	first bool          // ready is closed
	cause error         // why it is down
	ready chan struct{} // closed when it is up for the first time, or known to be down
}

// processStart is what times are counted from, so that only this process's monotonic clock
// matters.
var processStart = time.Now()

// lateSlack is how much later than its sender's deadline a script may still begin.
const lateSlack = 50 * time.Millisecond

// setClock notes what Redis's clock says, in microseconds since 1970.
func (h *health) setClock(us int64) { h.clock.Store(us - time.Since(processStart).Microseconds()) }

// redisDeadline returns when a script must begin whose reply is due at deadline, in
// microseconds of Redis's clock; 0 while that clock is not known.
func (h *health) redisDeadline(deadline time.Time) int64 {
	ahead := h.clock.Load()
	if ahead == 0 {
		return 0
	}
	return ahead + deadline.Sub(processStart).Microseconds() + lateSlack.Microseconds()
}

// markDown notes that Redis is down.
func (h *health) markDown(cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up {
		h.downs.Add(1)
	}
	h.up, h.cause = false, cause
	h.announce()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// markUp notes that Redis is up.
func (h *health) markUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = true
	h.announce()
}

// announce lets those go on that wait for the first connection. It wants h.mu.
func (h *health) announce() {
	if !h.first {
		h.first = true
		close(h.ready)
	}
}

// down returns why Redis must not be asked, nil if it is up.
func (h *health) down() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up {
		return nil
	}
	return h.cause
}

// waitReady returns once Redis can be asked, or why it cannot. Only calls that come before
// the first connection wait.
func (s *Store) waitReady(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closing.Err() != nil {
		return claims.ErrClosed
	}
	select {
	case <-s.health.ready:
		return s.health.down()
	default:
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-s.health.ready:
		return s.health.down()
	case <-timer.C:
		return fmt.Errorf("%w: %s: no connection yet", claims.ErrUnavailable, s.server.Name)
	case <-s.closing.Done():
		return claims.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pauses between attempts to reach a Redis that is down.
const (
	probeFirst = 50 * time.Millisecond
	probeLast  = time.Second
)

// maintain reconnects after a failure, and renews leases.
func (s *Store) maintain() {
	s.reconnect()
	tick := time.NewTicker(min(s.lease/6, watchEvery))
	defer tick.Stop()
	for {
		select {
		case <-s.health.wake:
			if s.health.down() != nil {
				s.reconnect()
			}
		case <-tick.C:
			if s.resync(false) != nil {
				s.reconnect()
			}
		case <-s.closing.Done():
			return
		}
	}
}

// reconnect tries until Redis is up.
func (s *Store) reconnect() {
	for pause := probeFirst; ; pause = min(2*pause, probeLast) {
		err := s.resync(true)
		if err == nil {
			s.health.markUp()
			return
		}
		s.health.markDown(err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.closing.Done():
			timer.Stop()
			return
		}
	}
}

// resync settles the generation, sends queued updates, and renews leases: all of them when
// Redis may have forgotten them. It comes before anything new is claimed. A Redis that is
// full can still be asked for what it has, so ErrFull is no failure here.
func (s *Store) resync(all bool) error {
	changed, err := s.syncGeneration(s.closing, false)
	if err != nil {
		return s.classify(err)
	}
	if all {
		s.checkEviction(s.closing)
	}
	for _, duty := range []func(context.Context) error{
		s.sendQueued, func(ctx context.Context) error { return s.renew(ctx, all || changed) },
		func(ctx context.Context) error { return s.resendRecent(ctx, changed) },
	} {
		if err := duty(s.closing); err != nil {
			if err = s.classify(err); errors.Is(err, claims.ErrUnavailable) {
				return err
			}
		}
	}
	return nil
}
