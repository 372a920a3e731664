package redis

import (
	"context"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"
)

// Finish implements Store. An answer that Redis does not take now is kept, within
// bounds, and stored when it does.
func (s *Store) Finish(ctx context.Context, claim claims.Claim, answer *claims.Answer) error {
	if answer.Size() > s.Largest() {
		if err := s.Lose(ctx, claim, answer.Status); err != nil {
			return err
		}
		return claims.ErrTooLarge
	}
	return s.finish(ctx, claim, func(mine *claimed) debt {
		r := record.Record{
			State: claims.Done, Call: mine.call, Since: mine.since, At: s.health.now(),
			Status: answer.Status, Header: answer.Header, Body: answer.Body,
		}
		return debt{claimed: mine, state: "d", status: answer.Status, record: r.Encode()}
	})
}

// Release implements Store.
func (s *Store) Release(ctx context.Context, claim claims.Claim) error {
	return s.finish(ctx, claim, func(mine *claimed) debt { return debt{claimed: mine, release: true} })
}

// Lose implements Store.
func (s *Store) Lose(ctx context.Context, claim claims.Claim, status int) error {
	return s.finish(ctx, claim, func(mine *claimed) debt {
		return debt{claimed: mine, release: !mine.call.Create, state: "u", status: status}
	})
}

// finish ends the claim that this process holds.
func (s *Store) finish(ctx context.Context, claim claims.Claim, how func(*claimed) debt) error {
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
		return claims.ErrNotHeld
	}
	return nil
}

// take takes a claim out of those that this process holds.
func (s *Store) take(claim claims.Claim) (*claimed, error) {
	if s.life.Err() != nil {
		return nil, claims.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.flights[claim.Token]
	if mine == nil {
		return nil, claims.ErrNotHeld
	}
	delete(s.flights, claim.Token)
	return mine, nil
}

// now is the time on Redis's clock.
func (h *health) now() time.Time {
	return time.UnixMicro(h.clock.Load() + time.Since(began).Microseconds())
}

// Close implements Store. What is owed is paid if Redis takes it at once.
func (s *Store) Close() error {
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
