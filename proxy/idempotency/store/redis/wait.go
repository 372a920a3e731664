package redis

import (
	"context"
	"math/rand/v2"
	"time"

	"outrigger/proxy/idempotency/claims"
)

// Wait polls at the first interval, and slows down to the last.
const (
	pollFirst = 20 * time.Millisecond
	pollLast  = 500 * time.Millisecond
)

// Wait implements claims.Store. It polls: the calls of one process share one Wait, and it is
// rare that two processes wait for the same answer.
func (s *Store) Wait(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for pause := pollFirst; ; pause = min(pause*3/2, pollLast) {
		claim, err := s.Begin(ctx, call)
		if err != nil || claim.State != claims.Running {
			return claim, err
		}
		s.sleep(ctx, pause/2+rand.N(pause))
	}
}

// sleep waits for d, the end of ctx, or Close.
func (s *Store) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing.Done():
	case <-ctx.Done():
	}
}
