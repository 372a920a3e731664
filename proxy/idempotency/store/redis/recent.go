package redis

import (
	"context"
	"time"
)

// maxRecent bounds the creates that are remembered here after their end, in number: about
// 1 MB, and half a second to tell a Redis that lost them.
const maxRecent = 4096

// recentCreate is a create that this process ran, and that was, or may have been, carried
// out.
type recentCreate struct {
	*claimed
	status int
	at     time.Time
}

// addRecent keeps, for a Redis that loses its data, not the answer but that there was one,
// so that the create does not run again.
func (s *Store) addRecent(u update) {
	if u.release || !u.call.Create {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) >= maxRecent {
		s.recent = append([]recentCreate(nil), s.recent[len(s.recent)-maxRecent/2:]...)
	}
	s.recent = append(s.recent, recentCreate{u.claimed, u.status, time.Now()})
}

// resendRecent tells a Redis that lost its data which creates ended lately.
func (s *Store) resendRecent(ctx context.Context, lost bool) error {
	if !lost {
		return nil
	}
	s.mu.Lock()
	all := s.recent
	s.mu.Unlock()
	last := time.Now()
	for i := len(all) - 1; i >= 0; i-- { // the latest first: their repeats are the likeliest
		left := s.limits.TTL - time.Since(all[i].at)
		if left <= 0 {
			return nil
		}
		u := update{claimed: all[i].claimed, state: "m", status: all[i].status}
		if _, err := s.put(ctx, u, left.Milliseconds()+1); err != nil {
			return err
		}
		if err := s.extendGrace(ctx, true, &last); err != nil {
			return err
		}
	}
	return nil
}

// extendGrace makes creates wait on while this process still resends what it holds. Last is
// when it began to, or did this last.
func (s *Store) extendGrace(ctx context.Context, all bool, last *time.Time) error {
	if !all || time.Since(*last) < s.grace/4 {
		return nil
	}
	*last = time.Now()
	changed, err := s.syncGeneration(ctx, true)
	if changed {
		return errChanged // start again
	}
	return err
}
