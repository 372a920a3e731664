package redis

import (
	"context"
	"time"
)

// renew renews the leases that are due, or all.
func (s *Store) renew(ctx context.Context, all bool) error {
	s.mu.Lock()
	flights := make([]*claimed, 0, len(s.flights))
	for _, mine := range s.flights {
		flights = append(flights, mine)
	}
	s.mu.Unlock()
	last := time.Now()
	for _, mine := range flights {
		if err := s.renewOne(ctx, mine, all); err != nil {
			return err
		}
		if err := s.holdOpen(ctx, all, &last); err != nil {
			return err
		}
	}
	return nil
}

// renewOne renews a lease if it is due. A claim that Redis has forgotten is there
// again; one that has passed to somebody else stays theirs, and the end of this one
// will be an ErrNotHeld.
func (s *Store) renewOne(ctx context.Context, mine *claimed, all bool) error {
	mine.mu.Lock()
	defer mine.mu.Unlock()
	if mine.ended || !all && time.Since(mine.renewed) < s.lease/3 {
		return nil
	}
	if _, err := s.put(ctx, debt{claimed: mine, state: "r"}, s.expiry(mine.call)); err != nil {
		return err
	}
	mine.renewed = time.Now()
	return nil
}
