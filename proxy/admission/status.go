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

// EachSlots calls f with what is known of each credential's and model's calls in flight.
func (ls *Queues) EachSlots(now time.Time, f func(key Key, s ConcurrencyStatus, proven bool)) {
	ls.Mu.RLock()
	defer ls.Mu.RUnlock()
	for key, ln := range ls.ByKey {
		f(key, ln.Slots.Status(now), ln.proven.Load())
	}
}
