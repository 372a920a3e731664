package admission

import (
	"container/list"
	"time"

	"outrigger/policy"
	"outrigger/policy/concurrency"
	"outrigger/policy/priority"
)

// oldestEach is how often the one who waits longest is next, whatever its age.
const oldestEach = 10

// takeNext takes who goes next out of the queue: of the priority whose turn it is. Locked; somebody waits.
func (s *Slots) takeNext(now time.Time) *SlotWaiter {
	waiting := s.queue.counts()
	p, _ := s.queue.turns.Next(&waiting)
	return s.queue.of(p).Remove(s.nextOut(now, p)).(*SlotWaiter)
}

// nextOut is who of a priority goes next: the one who waits longest, unless callers are known to leave
// before it could be answered; then one who can be. Those who may be more patient get every
// tenth slot. Locked; somebody waits.
func (s *Slots) nextOut(now time.Time, p priority.Priority) *list.Element {
	front := s.queue.of(p).Front()
	s.queue.given[p.Index()]++
	if s.patience == nil {
		return front
	}
	patience, known := s.patience.Value(now)
	if !known || s.queue.given[p.Index()]%oldestEach == 0 {
		return front
	}
	lasts, _ := s.learned.Lasts()
	lasts += lasts / AnswerSlack
	for e := front; e != nil; e = e.Next() {
		if now.Sub(e.Value.(*SlotWaiter).Came) < patience-lasts {
			return e
		}
	}
	return front
}

// letOut is how many of those who wait may go now, if there is room. Where no limit is left,
// because what looked like one was chance, or it is old, all of them at once would be the
// very crowd that limits are about; so they go by a ramp. Locked.
func (s *Slots) letOut(now time.Time) int {
	waiting := s.queue.Len()
	if waiting == 0 || !s.learns || s.learned.Allowed(now) != concurrency.Unlimited {
		s.ramp = nil
		return waiting
	}
	if s.most > 0 && s.ramp == nil {
		return waiting // they wait for the configured bound
	}
	if s.ramp == nil {
		s.ramp = policy.NewRamp(now)
	}
	return s.ramp.Take(now, waiting)
}

// AnswerSlack is the part of an answer's mean time that is allowed for beyond it: half of all
// answers take longer.
const AnswerSlack = 8
