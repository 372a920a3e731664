package admission

import "time"

// Close turns away those who wait in these lines and would outlast until.
func (ls *Queues) Close(now, until time.Time) {
	ls.Mu.RLock()
	defer ls.Mu.RUnlock()
	closed := map[*turnstile]bool{}
	for _, ln := range ls.ByKey {
		ts := ln.lock()
		if !closed[ts] {
			closed[ts] = true
			ts.limiter.Close(until)
			ts.Release(now)
		}
		ts.mu.Unlock()
		ln.Slots.Close(now, until)
	}
}

// Close turns away those who wait for a slot and would outlast until.
func (s *Slots) Close(now, until time.Time) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.closing = until
	ahead := 0
	for e := s.Queue.Front(); e != nil; {
		next := e.Next()
		if w := e.Value.(*SlotWaiter); s.tooLate(now, ahead, until) {
			s.Queue.Remove(e)
			w.late, w.closing = true, true
			close(w.turn)
		} else {
			ahead++
		}
		e = next
	}
}
