package proxy

import (
	"time"

	"outrigger/policy/concurrency"
)

// slot is a call's place among those in flight. The zero value is none. It must not be
// copied while it is held.
type slot struct {
	of   *slots
	call concurrency.Call
}

// sent tells that the call is on its way.
func (sl *slot) sent(now time.Time) {
	if s := sl.of; s != nil && s.learns {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.learned.Start(now, &sl.call)
		s.release(now) // silence about this one may let others go
	}
}

// refused tells that the call was refused, and reports whether a limit on concurrency
// explains it. The slot is still held.
func (sl *slot) refused(now time.Time, e concurrency.Evidence, hint time.Duration) bool {
	s := sl.of
	if s == nil || !s.learns {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learned.Refused(now, &sl.call, e, hint)
}

// give returns the slot, once. accepted says that the upstream took the call in.
func (sl *slot) give(accepted bool) {
	s := sl.of
	if s == nil {
		return
	}
	sl.of = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.learns {
		s.learned.End(now, &sl.call, accepted)
	}
	s.taken--
	s.release(now)
}
