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

// health is whether Redis is to be asked, and what its clock says. While it is down,
// everything fails at once, and tend alone asks how it is.
type health struct {
	failed chan struct{} // wakes tend
	clock  atomic.Int64  // microseconds that Redis's clock is ahead of start; 0: not known
	missed atomic.Int64  // how often it went down

	mu    sync.Mutex
	up    bool
	first bool          // it was up before
	why   error         // while it is down, after the first time
	ready chan struct{} // closed when it is up for the first time, or known to be down
}

// began is what times are counted from, so that only this process's monotonic clock
// matters.
var began = time.Now()

// lateness is how much later than its sender's deadline a script may still begin.
const lateness = 50 * time.Millisecond

// learn notes what Redis's clock says.
func (h *health) learn(us int64) { h.clock.Store(us - time.Since(began).Microseconds()) }

// onRedis returns, in microseconds of Redis's clock, by when what is to be answered by
// a deadline must begin; 0 while its clock is not known.
func (h *health) onRedis(deadline time.Time) int64 {
	ahead := h.clock.Load()
	if ahead == 0 {
		return 0
	}
	return ahead + deadline.Sub(began).Microseconds() + lateness.Microseconds()
}

// fail notes that Redis is down.
func (h *health) fail(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up {
		h.missed.Add(1)
	}
	h.up, h.why = false, why
	h.settle()
	select {
	case h.failed <- struct{}{}:
	default:
	}
}

// recover notes that Redis is up.
func (h *health) recover() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = true
	h.settle()
}

func (h *health) settle() {
	if !h.first {
		h.first = true
		close(h.ready)
	}
}

// well returns why Redis is not to be asked, nil if it is.
func (h *health) well() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.up {
		return nil
	}
	return h.why
}

// await returns once Redis can be asked, or why it cannot. Only what comes before it
// was first asked waits.
func (s *Store) await(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.life.Err() != nil {
		return claims.ErrClosed
	}
	select {
	case <-s.health.ready:
		return s.health.well()
	default:
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-s.health.ready:
		return s.health.well()
	case <-timer.C:
		return fmt.Errorf("%w: %s: no connection yet", claims.ErrUnavailable, s.server.Name)
	case <-s.life.Done():
		return claims.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pauses between questions how a Redis is that was down.
const (
	probeFirst = 50 * time.Millisecond
	probeLast  = time.Second
)

// tend brings the store back when Redis is, and keeps its leases.
func (s *Store) tend() {
	s.comeBack()
	tick := time.NewTicker(min(s.lease/6, watchEvery))
	defer tick.Stop()
	for {
		select {
		case <-s.health.failed:
			if s.health.well() != nil {
				s.comeBack()
			}
		case <-tick.C:
			if s.attend(false) != nil {
				s.comeBack()
			}
		case <-s.life.Done():
			return
		}
	}
}

// comeBack asks until Redis is well.
func (s *Store) comeBack() {
	for pause := probeFirst; ; pause = min(2*pause, probeLast) {
		err := s.attend(true)
		if err == nil {
			s.health.recover()
			return
		}
		s.health.fail(err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.life.Done():
			timer.Stop()
			return
		}
	}
}

// attend settles the generation, pays what is owed, and renews leases: all of them when
// Redis may have forgotten them. It is done before anything new is begun. A Redis that
// is full but for that can still be asked for what it has.
func (s *Store) attend(all bool) error {
	changed, err := s.agree(s.life, false)
	if err != nil {
		return s.fault(err)
	}
	if all {
		s.meet(s.life)
	}
	for _, duty := range []func(context.Context) error{
		s.pay, func(ctx context.Context) error { return s.renew(ctx, all || changed) },
		func(ctx context.Context) error { return s.remind(ctx, changed) },
	} {
		if err := duty(s.life); err != nil {
			if err = s.fault(err); errors.Is(err, claims.ErrUnavailable) {
				return err
			}
		}
	}
	return nil
}
