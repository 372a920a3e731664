package admission

import (
	"time"

	"outrigger/policy/concurrency"
)

// ConcurrencyStatus is what is known of a limit on calls in flight.
type ConcurrencyStatus struct {
	concurrency.Snapshot
	// Queue is how many wait for a call to end.
	Queue int `json:"queue"`
}

// Status returns what is known of the limit on calls in flight.
func (s *Slots) Status(now time.Time) ConcurrencyStatus {
	snapshot, queue := s.snapshot(now)
	return ConcurrencyStatus{snapshot, queue}
}

// Idle reports whether no slot is held and nobody waits for one, as it must be once all calls are
// over.
func (s *Slots) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken == 0 && s.queue.Len() == 0
}

// EachSlots calls f with what is known of each credential's and model's calls in flight.
func (ls *Queues) EachSlots(now time.Time, f func(key Key, s ConcurrencyStatus, proven bool)) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	for key, ln := range ls.byKey {
		f(key, ln.Slots.Status(now), ln.proven.Load())
	}
}
