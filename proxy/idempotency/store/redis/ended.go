package redis

import (
	"context"
	"time"
)

// endedMost bounds the creates that are remembered here after their end, in number:
// about 1 MB, and half a second until a Redis that lost them is told of them all.
const endedMost = 4096

// ended is a create that this process ran, and that was, or may have been, done.
type ended struct {
	*claimed
	status int
	at     time.Time
}

// remember keeps what an end leaves to tell a Redis that loses it: not the answer, but
// that there was one, so that the call is not done again.
func (s *Store) remember(d debt) {
	if d.release || !d.call.Create {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ended) >= endedMost {
		s.ended = append([]ended(nil), s.ended[len(s.ended)-endedMost/2:]...)
	}
	s.ended = append(s.ended, ended{d.claimed, d.status, time.Now()})
}

// remind tells a Redis that lost what it knew of the creates that ended.
func (s *Store) remind(ctx context.Context, lost bool) error {
	if !lost {
		return nil
	}
	s.mu.Lock()
	all := s.ended
	s.mu.Unlock()
	last := time.Now()
	for i := len(all) - 1; i >= 0; i-- { // the latest first: they are asked for again the likeliest
		left := s.limits.TTL - time.Since(all[i].at)
		if left <= 0 {
			return nil
		}
		d := debt{claimed: all[i].claimed, state: "m", status: all[i].status}
		if _, err := s.put(ctx, d, left.Milliseconds()+1); err != nil {
			return err
		}
		if err := s.holdOpen(ctx, true, &last); err != nil {
			return err
		}
	}
	return nil
}

// holdOpen has creates wait on while this process still tells what it holds. Last is
// when it began to, or did this last.
func (s *Store) holdOpen(ctx context.Context, all bool, last *time.Time) error {
	if !all || time.Since(*last) < s.grace/4 {
		return nil
	}
	*last = time.Now()
	changed, err := s.agree(ctx, true)
	if changed {
		return errChanged // begin again
	}
	return err
}
