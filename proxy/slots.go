package proxy

import (
	"context"
	"sync"
)

// slots bounds the attempts in flight at one upstream (OUTRIGGER_MAX_INFLIGHT).
// A slot is held until the attempt's answer has ended. Waiters are served in
// order of arrival. Safe for concurrent use.
type slots struct {
	max     int // 0: no bound
	mu      sync.Mutex
	taken   int
	waiting []chan struct{}
}

func newSlots(most int) *slots { return &slots{max: most} }

// tryTake takes a slot if one is free, and nobody waits for it.
func (s *slots) tryTake() bool {
	if s.max == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.max {
		return false
	}
	s.taken++
	return true
}

// take waits for a slot. An error is the context's.
func (s *slots) take(ctx context.Context) error {
	if s.max == 0 {
		return nil
	}
	s.mu.Lock()
	if s.taken < s.max {
		s.taken++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for i, c := range s.waiting {
		if c == turn {
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			s.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	s.mu.Unlock()
	s.give() // the turn came at the same moment: pass it on
	return context.Cause(ctx)
}

// give returns a slot, to the next in line if there is one.
func (s *slots) give() {
	if s.max == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.taken--
		return
	}
	close(s.waiting[0])
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
}
