package redis

import (
	"context"
	"time"
)

// renew renews the leases that are due, or all.
func (s *Store) renew(ctx context.Context, all bool) error {
	s.mu.Lock()
	held := make([]*claimed, 0, len(s.held))
	for _, mine := range s.held {
		held = append(held, mine)
	}
	s.mu.Unlock()
	last := time.Now()
	for _, mine := range held {
		if err := s.renewOne(ctx, mine, all); err != nil {
			return err
		}
		if err := s.extendGrace(ctx, all, &last); err != nil {
			return err
		}
	}
	return nil
}

// renewOne renews a lease if it is due. A claim that Redis has forgotten is written again.
// A claim that somebody else holds by now stays theirs, and ending this one returns
// ErrNotHeld.
func (s *Store) renewOne(ctx context.Context, mine *claimed, all bool) error {
	mine.mu.Lock()
	defer mine.mu.Unlock()
	if mine.ended || !all && time.Since(mine.renewed) < s.lease/3 {
		return nil
	}
	if _, err := s.put(ctx, update{claimed: mine, state: "r"}, s.expiry(mine.call)); err != nil {
		return err
	}
	mine.renewed = time.Now()
	return nil
}
