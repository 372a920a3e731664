package admission

import (
	"time"

	"outrigger/policy/concurrency"
)

// Slot lets one call be in flight. The zero value is none. It must not be
// copied while it is held.
type Slot struct {
	Of   *Slots
	call concurrency.Call
}

// Sent tells that the call is on its way.
func (sl *Slot) Sent(now time.Time) {
	if s := sl.Of; s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.learns {
			return
		}
		s.learned.Start(now, &sl.call)
		s.Release(now) // silence about this one may let others go
	}
}

// Refused tells that the call was refused, and reports whether a limit on concurrency
// explains it. The slot is still held.
func (sl *Slot) Refused(now time.Time, e concurrency.Evidence, hint time.Duration) bool {
	s := sl.Of
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.unlock(now)
	if !s.learns {
		return false
	}
	return s.learned.Refused(now, &sl.call, e, hint)
}

// Give returns the slot, once. accepted says that the upstream took the call in.
func (sl *Slot) Give(accepted bool) {
	s := sl.Of
	if s == nil {
		return
	}
	sl.Of = nil
	s.mu.Lock()
	now := time.Now()
	defer s.unlock(now)
	s.learned.End(now, &sl.call, accepted) // nothing, if it was not started
	s.taken--
	s.yield(now, accepted)
	s.Release(now)
	s.giveBack(now)
	s.watch(now)
}
