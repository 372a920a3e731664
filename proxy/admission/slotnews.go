package admission

import (
	"time"

	"outrigger/policy/concurrency"
)

// ConcurrencyNews is a limit on calls in flight that was learned, has changed, or is known no
// more.
type ConcurrencyNews struct {
	Limit, Before int    // 0 is none
	Source        string // how it is known
}

// newsPart is the part of a limit by which it must change to be worth telling.
const newsPart = 10

// unlock ends the hold of mu, and tells what was learned in it.
func (s *Slots) unlock(now time.Time) {
	n := ConcurrencyNews{Before: s.told}
	if s.Tell != nil && s.learns && (s.told > 0 || s.learned.Allowed(now) != concurrency.Unlimited) {
		snapshot := s.learned.Snapshot(now)
		n.Limit, n.Source = snapshot.Limit, snapshot.Source
	}
	isNews := n.Limit != n.Before && (n.Before == 0 || n.Limit == 0 || newsPart*max(n.Limit-n.Before, n.Before-n.Limit) >= n.Before)
	if isNews {
		s.told = n.Limit
	}
	s.mu.Unlock()
	if isNews {
		s.Tell(n)
	}
}
