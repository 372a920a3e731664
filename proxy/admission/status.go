package admission

import (
	"time"

	"outrigger/policy/concurrency"
	"outrigger/policy/priority"
)

// ConcurrencyStatus is what is known of a limit on calls in flight.
type ConcurrencyStatus struct {
	concurrency.Snapshot
	// Queue is how many wait for a call to end.
	Queue int `json:"queue"`
	// Waiting are the same by priority. JSON has them if some are not normal.
	Waiting priority.Counts `json:"queue_by_priority,omitzero"`
}

// Status returns what is known of the limit on calls in flight.
func (s *Slots) Status(now time.Time) ConcurrencyStatus {
	snapshot, waiting := s.snapshot(now)
	return ConcurrencyStatus{snapshot, waiting.From(priority.Low), waiting}
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

// HasRoom reports whether one more could go at once.
func (s *Slots) HasRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unbounded() {
		return true
	}
	return s.queue.Len() == 0 && s.free(time.Now())
}

// knowsLimit reports whether a limit was learned.
func (s *Slots) knowsLimit(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learns && s.learned.Allowed(now) != concurrency.Unlimited
}

// IsLearned reports whether it is a learned limit that holds calls back.
func (s *Slots) IsLearned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learns && (s.taken >= s.learned.Allowed(time.Now()) || s.shared != nil && s.learned.Known(time.Now()).Limit > 0)
}

// UntilFree returns how long one who came now would wait, at least a second for the
// callers that are told to come back then.
func (s *Slots) UntilFree() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, _ := s.predict(time.Now(), s.queue.Len()+1)
	return max(wait, time.Second)
}

// snapshot returns what is known of the limit, and how many wait for it.
func (s *Slots) snapshot(now time.Time) (concurrency.Snapshot, priority.Counts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learned.Snapshot(now), s.queue.counts()
}
