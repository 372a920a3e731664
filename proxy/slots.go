package proxy

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"outrigger/policy/concurrency"
)

// errSlotsFull refuses to queue for a slot where OUTRIGGER_QUEUE_MAX wait already.
var errSlotsFull = errors.New("too many wait for a slot")

// slots bounds the calls in flight at one upstream, or of one credential and model there:
// by configuration (OUTRIGGER_MAX_INFLIGHT), and by what refusals have shown. A slot is
// held from just before its attempt is sent until the end of the answer. Safe for
// concurrent use.
type slots struct {
	most     int  // OUTRIGGER_MAX_INFLIGHT; 0 is no bound
	learns   bool // OUTRIGGER_CONCURRENCY
	queueMax int

	mu      sync.Mutex
	learned concurrency.Limiter
	taken   int
	queue   list.List // of *slotWaiter
	timer   *time.Timer
	wakeAt  time.Time
}

// slotWaiter is one who waits for a slot.
type slotWaiter struct {
	deadline time.Time     // by which the answer must have begun; zero is never
	turn     chan struct{} // closed when it has one, or never will in time
	given    bool          // under the lock of slots
	late     bool
}

// slot is a call's place among those in flight. The zero value is none. It must not be
// copied while it is held.
type slot struct {
	of   *slots
	call concurrency.Call
}

func newSlots(most, queueMax int, learns bool) *slots {
	return &slots{most: most, queueMax: queueMax, learns: learns}
}

// unbounded reports whether nobody has to be counted.
func (s *slots) unbounded() bool { return s.most == 0 && !s.learns }

// tryTake takes a slot if one is free and nobody waits for it.
func (s *slots) tryTake(sl *slot) bool {
	if s.unbounded() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.Len() > 0 || !s.free(time.Now()) {
		return false
	}
	s.taken++
	sl.of = s
	return true
}

// take waits for a slot, at the back of the queue or, for a call that was refused, at its
// front. It fails with errSlotsFull, with errTurnedAway where the answer could not begin
// by the deadline, with errQueueTimeout at until, or with the cause of ctx's end.
func (s *slots) take(ctx context.Context, sl *slot, deadline, until time.Time, front bool) error {
	s.mu.Lock()
	now := time.Now()
	if !front && s.queue.Len() >= s.queueMax {
		s.mu.Unlock()
		return errSlotsFull
	}
	if !front && s.tooLate(now, s.queue.Len()+1, deadline) {
		s.mu.Unlock()
		return errTurnedAway
	}
	w := &slotWaiter{deadline: deadline, turn: make(chan struct{})}
	place := s.queue.PushBack(w)
	if front {
		s.queue.MoveToFront(place)
	}
	s.release(now)
	s.mu.Unlock()
	var expired <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	err := errQueueTimeout
	select {
	case <-w.turn:
		if w.late {
			return errTurnedAway
		}
		sl.of = s
		return nil
	case <-expired:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.given { // at the same moment: pass it on
		s.taken--
	} else if !w.late {
		s.queue.Remove(place)
	}
	s.release(time.Now())
	return err
}

// free reports whether one more may be in flight. Locked.
func (s *slots) free(now time.Time) bool {
	if s.most > 0 && s.taken >= s.most {
		return false
	}
	return !s.learns || s.taken < s.learned.Allowed(now)
}

// tooLate reports whether the answer to a call behind ahead others is not going to begin
// by its deadline. Locked.
func (s *slots) tooLate(now time.Time, ahead int, deadline time.Time) bool {
	if deadline.IsZero() {
		return false
	}
	wait, answer, known := s.predict(now, ahead)
	return known && now.Add(wait+answer).After(deadline)
}

// predict is as of concurrency.Limiter, for the places that there are. Locked.
func (s *slots) predict(now time.Time, ahead int) (wait, answer time.Duration, known bool) { //nolint:nonamedreturns // as there
	places := s.learned.Allowed(now)
	if s.most > 0 {
		places = min(places, s.most)
	}
	return s.learned.Predict(ahead, places)
}

// untilFree returns how long one who came now would wait, at least a second for the
// callers that are told to come back then.
func (s *slots) untilFree() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, _, _ := s.predict(time.Now(), s.queue.Len()+1)
	return max(wait, time.Second)
}

// release gives free slots to those who wait, in order, and looks again when more may be
// free. Locked.
func (s *slots) release(now time.Time) {
	for s.queue.Len() > 0 && s.free(now) {
		w := s.queue.Remove(s.queue.Front()).(*slotWaiter)
		// What cannot be answered in time would only take the place of one that can.
		if w.late = s.tooLate(now, 0, w.deadline); !w.late {
			w.given = true
			s.taken++
		}
		close(w.turn)
	}
	if s.queue.Len() == 0 || !s.learns {
		return
	}
	next := s.learned.Next(now)
	switch {
	case !next.After(now) || next.Equal(s.wakeAt):
		return
	case s.timer == nil:
		s.timer = time.AfterFunc(next.Sub(now), s.wake)
	default:
		s.timer.Reset(next.Sub(now))
	}
	s.wakeAt = next
}

func (s *slots) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeAt = time.Time{}
	s.release(time.Now())
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

// answered tells that the answer has begun.
func (sl *slot) answered(now time.Time) {
	if s := sl.of; s != nil && s.learns {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.learned.Answered(now, &sl.call)
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

// snapshot returns what is known of the limit, and how many wait for it.
func (s *slots) snapshot(now time.Time) (concurrency.Snapshot, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learned.Snapshot(now), s.queue.Len()
}

// stop ends the timer.
func (s *slots) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}
