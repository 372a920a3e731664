package store

import (
	"context"
	"time"
)

// renewOne renews a lease if it is due. A claim that Redis has forgotten is there
// again; one that has passed to somebody else stays theirs, and the end of this one
// will be an ErrNotHeld.
func (s *shared) renewOne(ctx context.Context, mine *claimed, all bool) error {
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
