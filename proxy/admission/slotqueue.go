package admission

import (
	"container/list"
	"time"

	"outrigger/policy/priority"
)

// slotQueue holds those who wait for a slot by priority, which get turns by weight. The zero
// value is empty.
type slotQueue struct {
	lists [priority.Count]list.List // of *SlotWaiter, in the order of arrival
	turns priority.Turns
	given [priority.Count]int // slots, so far
}

// of is the queue of one priority.
func (q *slotQueue) of(p priority.Priority) *list.List { return &q.lists[p.Index()] }

// counts is how many wait.
func (q *slotQueue) counts() priority.Counts {
	var n priority.Counts
	for i := range q.lists {
		n[i] = q.lists[i].Len()
	}
	return n
}

// Len is how many wait in all.
func (q *slotQueue) Len() int { return q.counts().From(priority.Low) }

// ahead is how many go before one that came now.
func (q *slotQueue) ahead(p priority.Priority) int {
	counts := q.counts()
	return q.turns.Ahead(p, counts[p.Index()], counts).From(priority.Low)
}

// join puts w into the queue: at the back, or, for a call that had a slot before, in the order
// of arrival.
func (q *slotQueue) join(w *SlotWaiter, again bool) *list.Element {
	l := q.of(w.Priority)
	if l.Len() == 0 {
		q.turns.Begin(w.Priority)
	}
	if again {
		for e := l.Front(); e != nil; e = e.Next() {
			if e.Value.(*SlotWaiter).Came.After(w.Came) {
				return l.InsertBefore(w, e)
			}
		}
	}
	return l.PushBack(w)
}

// expel takes those out in the order of their turns that are meant, of so many that stay before
// them, and wakes them.
func (q *slotQueue) expel(meant func(w *SlotWaiter, ahead int) bool) {
	var next [priority.Count]*list.Element
	for i := range q.lists {
		next[i] = q.lists[i].Front()
	}
	turns, waiting, ahead := q.turns, q.counts(), 0
	for {
		p, ok := turns.Next(&waiting)
		if !ok {
			return
		}
		i := p.Index()
		e := next[i]
		next[i] = e.Next()
		waiting[i]--
		w := e.Value.(*SlotWaiter)
		if !meant(w, ahead) {
			ahead++
			turns.Take(p)
			continue
		}
		q.lists[i].Remove(e)
		w.late = true
		close(w.turn)
	}
}

// expelRest is how long nobody is looked for whom others made too late, after the last look.
const expelRest = 100 * time.Millisecond

// expel turns those away who were told a wait that was in time, and are too late since more
// urgent calls came. Locked.
func (s *Slots) expel(now time.Time) {
	if !s.overtaken || now.Sub(s.looked) < expelRest {
		return
	}
	s.overtaken, s.looked = false, now
	s.queue.expel(func(w *SlotWaiter, ahead int) bool { return s.tooLate(now, ahead, w.Deadline) })
}
