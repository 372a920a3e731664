package admission

import (
	"context"
	"errors"
	"sync"
	"time"

	"outrigger/policy"
	"outrigger/policy/concurrency"
	"outrigger/policy/priority"
	"outrigger/proxy/apierror"
)

// ErrSlotsFull refuses to queue for a slot where OUTRIGGER_QUEUE_MAX wait already.
var ErrSlotsFull = errors.New("too many wait for a slot")

// Slots bounds the calls in flight at one upstream, or of one credential and model there:
// by configuration (OUTRIGGER_MAX_INFLIGHT), and by what refusals have shown. A slot is
// held from just before its attempt is sent until the end of the answer. Safe for
// concurrent use.
type Slots struct {
	Tell func(ConcurrencyNews) // is told of learned limits; nil tells nobody

	mu        sync.Mutex
	told      int  // the limit that was told last
	most      int  // OUTRIGGER_MAX_INFLIGHT; 0 is no bound
	learns    bool // OUTRIGGER_CONCURRENCY
	queueMax  int
	learned   concurrency.Limiter
	taken     int
	queue     slotQueue
	patience  *concurrency.Patience // nil while nobody left
	closing   time.Time             // a drain ends then; zero while none is
	overtaken bool                  // somebody joined before others, who may have become too late
	looked    time.Time             // when that was last looked at
	ramp      *policy.Ramp          // lets out those who waited for a limit that is none any more
	timer     *time.Timer
	wakeAt    time.Time
	shared    *sharing // with other processes; nil with none
}

// SlotWaiter is one who waits for a slot.
type SlotWaiter struct {
	Came     time.Time // when the request came to Outrigger
	Deadline time.Time // by which it must be sent; zero is never
	Priority priority.Priority
	turn     chan struct{} // closed when it has one, or never will in time
	given    bool          // under the lock of slots
	late     bool
	closing  bool // late for the drain's end
}

// NewSlots returns slots for most calls in flight, 0 for any number, and room for queueMax
// to wait. Learns says that limits are learned from refusals.
func NewSlots(most, queueMax int, learns bool) *Slots {
	return &Slots{most: most, queueMax: queueMax, learns: learns}
}

// Configure puts other settings into force, as NewSlots takes them. What was learned stays,
// and those who wait and may go by the new bounds do so.
func (s *Slots) Configure(most, queueMax int, learns bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most, s.queueMax, s.learns = most, queueMax, learns
	if s.shared != nil {
		s.shared.again = time.Time{} // others may have as many more
	}
	now := time.Now()
	s.Release(now)
	s.giveBack(now)
	s.watch(now)
}

// unbounded reports whether nobody has to be counted. Locked.
func (s *Slots) unbounded() bool { return s.most == 0 && !s.learns }

// TryTake takes a slot if one is free and nobody waits for it.
func (s *Slots) TryTake(sl *Slot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unbounded() {
		return true
	}
	if s.queue.Len() > 0 || !s.free(time.Now()) {
		return false
	}
	s.taken++
	sl.Of = s
	return true
}

// Take waits for a slot, at the back of the queue or, for a call that had one before, in
// the order of arrival. It fails with ErrSlotsFull, with ErrTurnedAway where its turn would
// come after w's deadline, with ErrQueueTimeout at until, or with the cause of ctx's end.
func (s *Slots) Take(ctx context.Context, sl *Slot, w *SlotWaiter, until time.Time, again bool) error {
	s.mu.Lock()
	now := time.Now()
	if !again && s.queue.counts().From(w.Priority) >= s.queueMax {
		s.mu.Unlock()
		return ErrSlotsFull
	}
	ahead := s.queue.ahead(w.Priority)
	if !again && s.tooLate(now, ahead, s.closing) {
		s.mu.Unlock()
		return apierror.ErrClosing
	}
	if !again && s.tooLate(now, ahead, w.Deadline) { // the first may be next at any moment
		s.mu.Unlock()
		return ErrTurnedAway
	}
	w.turn = make(chan struct{})
	place := s.queue.join(w, again)
	s.overtaken = s.overtaken || s.queue.Len() > s.queue.of(w.Priority).Len()
	s.Release(now)
	s.mu.Unlock()
	var expired <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	err := ErrQueueTimeout
	select {
	case <-w.turn:
		switch {
		case w.closing:
			return apierror.ErrClosing
		case w.late:
			return ErrTurnedAway
		}
		sl.Of = s
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
		s.queue.of(w.Priority).Remove(place)
	}
	s.Release(time.Now())
	s.giveBack(time.Now())
	return err
}

// free reports whether one more may be in flight. Locked.
func (s *Slots) free(now time.Time) bool {
	if s.shared != nil {
		return s.freeOfShared(now)
	}
	if s.most > 0 && s.taken >= s.most {
		return false
	}
	return !s.learns || s.taken < s.learned.Allowed(now)
}

// Left tells that a caller left who had waited here, at that age of its request.
func (s *Slots) Left(now time.Time, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.patience == nil {
		s.patience = new(concurrency.Patience)
	}
	s.patience.Left(now, age)
}

// tooLate reports whether the turn of a call behind ahead others is going to come after its
// deadline. Locked.
func (s *Slots) tooLate(now time.Time, ahead int, deadline time.Time) bool {
	if deadline.IsZero() {
		return false
	}
	wait, _ := s.predict(now, ahead)
	return now.Add(wait).After(deadline)
}

// predict is as of concurrency.Limiter, for the slots that there are. Locked.
func (s *Slots) predict(now time.Time, ahead int) (time.Duration, bool) {
	places := s.learned.Allowed(now)
	if s.most > 0 {
		places = min(places, s.most)
	}
	if s.shared != nil && s.shared.held > 0 {
		places = min(places, s.shared.held)
	}
	return s.learned.Predict(ahead, places)
}

// Release gives free slots to those who wait, in order, and looks again when more may be
// free. Locked.
func (s *Slots) Release(now time.Time) {
	s.expel(now)
	for n := s.letOut(now); n > 0 && s.queue.Len() > 0 && s.free(now); n-- {
		w := s.takeNext(now)
		// What cannot be answered in time would only take the place of one that can.
		if w.late = s.tooLate(now, 0, w.Deadline); !w.late {
			w.given = true
			s.queue.turns.Take(w.Priority)
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
	if look := s.looked.Add(expelRest); s.overtaken && (look.Before(next) || !next.After(now)) {
		next = look
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

func (s *Slots) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeAt = time.Time{}
	s.Release(time.Now())
}

// Stop ends the timer.
func (s *Slots) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.shared.leave()
}
