package proxy

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"outrigger/policy"
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

	mu       sync.Mutex
	learned  concurrency.Limiter
	taken    int
	queue    list.List             // of *slotWaiter
	given    int                   // slots, so far
	patience *concurrency.Patience // nil while nobody left
	closing  time.Time             // a drain ends then; zero while none is
	ramp     *policy.Ramp          // lets out those who waited for a limit that is none any more
	timer    *time.Timer
	wakeAt   time.Time
}

// slotWaiter is one who waits for a slot.
type slotWaiter struct {
	came     time.Time     // when the request came to Outrigger
	deadline time.Time     // by which it must be sent; zero is never
	turn     chan struct{} // closed when it has one, or never will in time
	given    bool          // under the lock of slots
	late     bool
	closing  bool // late for the drain's end
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

// take waits for a slot, at the back of the queue or, for a call that had one before, in
// the order of arrival. It fails with errSlotsFull, with errTurnedAway where its turn would
// come after w's deadline, with errQueueTimeout at until, or with the cause of ctx's end.
func (s *slots) take(ctx context.Context, sl *slot, w *slotWaiter, until time.Time, again bool) error {
	s.mu.Lock()
	now := time.Now()
	if !again && s.queue.Len() >= s.queueMax {
		s.mu.Unlock()
		return errSlotsFull
	}
	if !again && s.tooLate(now, s.queue.Len(), s.closing) {
		s.mu.Unlock()
		return errClosing
	}
	if !again && s.tooLate(now, s.queue.Len(), w.deadline) { // the first may be next at any moment
		s.mu.Unlock()
		return errTurnedAway
	}
	w.turn = make(chan struct{})
	place := s.join(w, again)
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
		switch {
		case w.closing:
			return errClosing
		case w.late:
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

// hasRoom reports whether one more could go at once.
func (s *slots) hasRoom() bool {
	if s.unbounded() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.Len() == 0 && s.free(time.Now())
}

// knowsLimit reports whether a limit was learned.
func (s *slots) knowsLimit(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learns && s.learned.Allowed(now) != concurrency.Unlimited
}

// isLearned reports whether it is a learned limit that holds calls back.
func (s *slots) isLearned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learns && s.taken >= s.learned.Allowed(time.Now())
}

// free reports whether one more may be in flight. Locked.
func (s *slots) free(now time.Time) bool {
	if s.most > 0 && s.taken >= s.most {
		return false
	}
	return !s.learns || s.taken < s.learned.Allowed(now)
}

// left tells that a caller left who had waited here, at that age of its request.
func (s *slots) left(now time.Time, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.patience == nil {
		s.patience = new(concurrency.Patience)
	}
	s.patience.Left(now, age)
}

// tooLate reports whether the turn of a call behind ahead others is going to come after its
// deadline. Locked.
func (s *slots) tooLate(now time.Time, ahead int, deadline time.Time) bool {
	if deadline.IsZero() {
		return false
	}
	wait, _ := s.predict(now, ahead)
	return now.Add(wait).After(deadline)
}

// predict is as of concurrency.Limiter, for the places that there are. Locked.
func (s *slots) predict(now time.Time, ahead int) (time.Duration, bool) {
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
	wait, _ := s.predict(time.Now(), s.queue.Len()+1)
	return max(wait, time.Second)
}

// release gives free slots to those who wait, in order, and looks again when more may be
// free. Locked.
func (s *slots) release(now time.Time) {
	for n := s.letOut(now); n > 0 && s.queue.Len() > 0 && s.free(now); n-- {
		w := s.queue.Remove(s.nextOut(now)).(*slotWaiter)
		// What cannot be answered in time would only take the place of one that can.
		if w.late = s.tooLate(now, 0, w.deadline); !w.late {
			w.given = true
			s.taken++
		}
		close(w.turn)
	}
	if s.queue.Len() == 0 {
		s.ramp = nil
	}
	if s.queue.Len() == 0 || !s.learns {
		return
	}
	next := s.learned.Next(now)
	if s.ramp != nil {
		next = s.ramp.Next(now)
	}
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
