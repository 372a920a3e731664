package limit

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// queue holds the waiters in the order of their first arrival: a list of those who
// came for the first time, so that joining and leaving cost the same however long
// it is, and a heap of the few who came back. The zero value is empty.
type queue struct {
	first, last *Waiter
	back        returned
	length      int
	seq         uint64
	cost        [units]int64 // of all who wait
}

// head returns who is first, nil if nobody waits.
func (q *queue) head() *Waiter {
	if len(q.back) > 0 && (q.first == nil || q.back[0].seq < q.first.seq) {
		return q.back[0]
	}
	return q.first
}

// arrive gives w a number by its moment the first time, and reports whether it is.
func (q *queue) arrive(w *Waiter, moment uint64) bool {
	if w.seq != 0 {
		return false
	}
	q.seq = max(q.seq+1, moment)
	w.seq = q.seq
	return true
}

// join puts w at its place: at the end if it has just arrived, else where it was.
func (q *queue) join(w *Waiter, fresh bool) {
	q.count(w, 1)
	if !fresh {
		w.state = stateReturned
		heap.Push(&q.back, w)
		return
	}
	w.state = stateFresh
	w.prev, w.next = q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

// remove takes w out, wherever it stands. One who does not wait is left alone.
func (q *queue) remove(w *Waiter) {
	switch w.state {
	case stateReturned:
		heap.Remove(&q.back, w.index)
	case stateFresh:
		q.unlink(w)
	default:
		return
	}
	w.state = stateIdle
	q.count(w, -1)
}

func (q *queue) unlink(w *Waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
}

func (q *queue) count(w *Waiter, sign int) {
	q.length += sign
	for u := range units {
		q.cost[u] += int64(sign) * w.cost(u)
	}
}

// returned lists those who came back, in order.
func (q *queue) returned() []*Waiter {
	all := slices.Clone(q.back)
	slices.SortFunc(all, func(a, b *Waiter) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// returned is a heap of waiters by arrival. It implements heap.Interface.
type returned []*Waiter

func (r returned) Len() int           { return len(r) }
func (r returned) Less(i, j int) bool { return r[i].seq < r[j].seq }
func (r returned) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].index, r[j].index = i, j
}

// Push appends a *Waiter.
func (r *returned) Push(x any) {
	w := x.(*Waiter)
	w.index = len(*r)
	*r = append(*r, w)
}

// Pop removes the last.
func (r *returned) Pop() any {
	old := *r
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*r = old[:len(old)-1]
	return w
}

// merge takes in all of another queue, in order of arrival. own is told of each.
func (q *queue) merge(other *queue, own func(*Waiter)) {
	other.move(q, func(*Waiter) bool { return true }, own)
}

// move takes those that are meant over into another queue, in order of arrival.
func (q *queue) move(to *queue, mine func(*Waiter) bool, own func(*Waiter)) {
	to.seq = max(to.seq, q.seq)
	for _, w := range slices.Clone(q.back) {
		if mine(w) {
			q.remove(w)
			own(w)
			to.join(w, false)
		}
	}
	at := to.first // everybody before came earlier than the next to be moved
	for w := q.first; w != nil; {
		next := w.next
		if mine(w) {
			for at != nil && at.seq <= w.seq {
				at = at.next
			}
			q.remove(w)
			own(w)
			to.insert(w, at)
		}
		w = next
	}
}

// insert puts w before at, or at the end if that is nil.
func (q *queue) insert(w, at *Waiter) {
	if at == nil {
		q.join(w, true)
		return
	}
	q.count(w, 1)
	w.state = stateFresh
	w.prev, w.next = at.prev, at
	if at.prev == nil {
		q.first = w
	} else {
		at.prev.next = w
	}
	at.prev = w
}

// lookahead is how many waiters behind a head that waits for tokens are tried.
const lookahead = 32

// maxPassed is how many smaller ones may go ahead of one head; together they may
// cost no more than it does, so they at most double its wait.
const maxPassed = 8

// pass looks for a waiter that may go ahead of a head which waits for tokens or
// images, and returns it with its wait, or the head with its own if that is shorter.
func (l *Limiter) pass(now time.Time, head *Waiter, wait time.Duration) (*Waiter, time.Duration) {
	s, ok := l.blocked(now, head)
	if !ok || head.passed >= maxPassed {
		return head, wait
	}
	best, bestWait := head, wait
	c := l.queue.first
	for range lookahead {
		if c == nil || bestWait == 0 {
			break
		}
		if c != head && !c.late(now) && head.passedCost+l.price(c, s) <= l.price(head, s) {
			if d := l.wait(now, c); d < bestWait {
				best, bestWait = c, d
			}
		}
		c = c.next
	}
	if best != head && bestWait == 0 {
		head.passed++
		head.passedCost += l.price(best, s)
	}
	return best, bestWait
}

// blocked returns the slot that holds the head up longest, if others may cost less
// in it.
func (l *Limiter) blocked(now time.Time, head *Waiter) (slot, bool) {
	var longest time.Duration
	var which slot
	for _, s := range l.active {
		if d := l.bucket(s).wait(now, now.Sub(l.start), l.price(head, s)); d > longest {
			longest, which = d, s
		}
	}
	return which, longest > 0 && which.counts() != unitRequest
}

// Dismiss takes the waiters that are meant out of the queue and calls gone for each, with
// why: what they wait for was found not to come. Neither function may call the limiter.
// Call Release afterwards.
func (l *Limiter) Dismiss(now time.Time, meant func(*Waiter) bool, gone func(*Waiter, Decision)) {
	l.tick(now)
	dismiss := func(w *Waiter) {
		if meant(w) {
			l.queue.remove(w)
			gone(w, Decision{Reason: Dismissed})
		}
	}
	for _, w := range l.queue.returned() {
		dismiss(w)
	}
	for w := l.queue.first; w != nil; {
		next := w.next
		dismiss(w)
		w = next
	}
}
