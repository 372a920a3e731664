package redis

import (
	"context"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"
)

// Finish implements claims.Store. An answer that Redis cannot store now is queued, within
// bounds, and stored later.
func (s *Store) Finish(ctx context.Context, claim claims.Claim, answer *claims.Answer) error {
	if answer.Size() > s.Largest() {
		if err := s.Lose(ctx, claim, answer.Status); err != nil {
			return err
		}
		return claims.ErrTooLarge
	}
	return s.finish(ctx, claim, func(mine *claimed) update {
		r := record.Record{
			State: claims.Done, Call: mine.call, Since: mine.since, At: s.health.now(),
			Status: answer.Status, Header: answer.Header, Body: answer.Body,
		}
		return update{claimed: mine, state: "d", status: answer.Status, record: r.Encode()}
	})
}

// Release implements claims.Store.
func (s *Store) Release(ctx context.Context, claim claims.Claim) error {
	return s.finish(ctx, claim, func(mine *claimed) update { return update{claimed: mine, release: true} })
}

// Lose implements claims.Store.
func (s *Store) Lose(ctx context.Context, claim claims.Claim, status int) error {
	return s.finish(ctx, claim, func(mine *claimed) update {
		return update{claimed: mine, release: !mine.call.Create, state: "u", status: status}
	})
}

// finish ends a claim that this process holds.
func (s *Store) finish(ctx context.Context, claim claims.Claim, how func(*claimed) update) error {
	mine, err := s.take(claim)
	if err != nil {
		return err
	}
	mine.mu.Lock() // waits for a renewal, which must not come after the end
	mine.ended = true
	mine.mu.Unlock()
	u := how(mine)
	s.addRecent(u)
	if err := s.health.down(); err != nil {
		s.queueUpdate(u)
		return err
	}
	reply, err := s.sendUpdate(ctx, u)
	if err != nil {
		s.queueUpdate(u)
		return s.noteError(err)
	}
	if reply == "lost" {
		return claims.ErrNotHeld
	}
	return nil
}

// take removes a claim from those that this process holds.
func (s *Store) take(claim claims.Claim) (*claimed, error) {
	if s.closing.Err() != nil {
		return nil, claims.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.held[claim.Token]
	if mine == nil {
		return nil, claims.ErrNotHeld
	}
	delete(s.held, claim.Token)
	return mine, nil
}

// now is the time on Redis's clock.
func (h *health) now() time.Time {
	return time.UnixMicro(h.clock.Load() + time.Since(processStart).Microseconds())
}

// Close implements claims.Store. Queued updates are sent if Redis is up.
func (s *Store) Close() error {
	if s.closing.Err() != nil { // it was closed before
		return nil //nolint:nilerr // which is no error (io.Closer leaves it open)
	}
	s.end()
	s.background.Wait()
	if s.health.down() == nil {
		_ = s.sendQueued(context.WithoutCancel(s.closing))
	}
	return s.client.Close()
}
