package store

import (
	"context"
	"time"
)

// Finish implements Store. An answer that Redis does not take now is kept, within
// bounds, and stored when it does.
func (s *shared) Finish(ctx context.Context, claim Claim, answer *Answer) error {
	if answer.Size() > s.Largest() {
		if err := s.Lose(ctx, claim, answer.Status); err != nil {
			return err
		}
		return ErrTooLarge
	}
	return s.finish(ctx, claim, func(mine *claimed) debt {
		r := record{
			state: Done, call: mine.call, since: mine.since, at: s.health.now(),
			status: answer.Status, header: answer.Header, body: answer.Body,
		}
		return debt{claimed: mine, state: "d", status: answer.Status, record: r.encode()}
	})
}

// Release implements Store.
func (s *shared) Release(ctx context.Context, claim Claim) error {
	return s.finish(ctx, claim, func(mine *claimed) debt { return debt{claimed: mine, release: true} })
}

// Lose implements Store.
func (s *shared) Lose(ctx context.Context, claim Claim, status int) error {
	return s.finish(ctx, claim, func(mine *claimed) debt {
		return debt{claimed: mine, release: !mine.call.Create, state: "u", status: status}
	})
}

// finish ends the claim that this process holds.
func (s *shared) finish(ctx context.Context, claim Claim, how func(*claimed) debt) error {
	mine, err := s.take(claim)
	if err != nil {
		return err
	}
	mine.mu.Lock() // until a renewal is over: it must not come after
	mine.ended = true
	mine.mu.Unlock()
	d := how(mine)
	s.remember(d)
	if err := s.health.well(); err != nil {
		s.owe(d)
		return err
	}
	reply, err := s.settleDebt(ctx, d)
	if err != nil {
		s.owe(d)
		return s.failed(err)
	}
	if reply == "lost" {
		return ErrNotHeld
	}
	return nil
}

// take takes a claim out of those that this process holds.
func (s *shared) take(claim Claim) (*claimed, error) {
	if s.life.Err() != nil {
		return nil, ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.flights[claim.token]
	if mine == nil {
		return nil, ErrNotHeld
	}
	delete(s.flights, claim.token)
	return mine, nil
}

// now is the time on Redis's clock.
func (h *health) now() time.Time {
	return time.UnixMicro(h.clock.Load() + time.Since(began).Microseconds())
}

// Close implements Store. What is owed is paid if Redis takes it at once.
func (s *shared) Close() error {
	if s.life.Err() != nil { // it was closed before
		return nil //nolint:nilerr // which is no error (io.Closer leaves it open)
	}
	s.end()
	s.tended.Wait()
	if s.health.well() == nil {
		_ = s.pay(context.WithoutCancel(s.life))
	}
	return s.client.Close()
}
