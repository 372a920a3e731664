package limit

import (
	"cmp"
	"container/heap"
	"slices"
)

// line holds the waiters in the order of their first arrival: a list of those who
// came for the first time, so that joining and leaving cost the same however long
// it is, and a heap of the few who came back. The zero value is empty.
type line struct {
	first, last *Waiter
	back        returned
	length      int
	seq         uint64
	cost        [units]int64 // of all who wait
}

// head returns who is first, nil if nobody waits.
func (q *line) head() *Waiter {
	if len(q.back) > 0 && (q.first == nil || q.back[0].seq < q.first.seq) {
		return q.back[0]
	}
	return q.first
}

// arrive gives w a number by its moment the first time, and reports whether it is.
func (q *line) arrive(w *Waiter, moment uint64) bool {
	if w.seq != 0 {
		return false
	}
	q.seq = max(q.seq+1, moment)
	w.seq = q.seq
	return true
}

// join puts w at its place: at the end if it has just arrived, else where it was.
func (q *line) join(w *Waiter, fresh bool) {
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
func (q *line) remove(w *Waiter) {
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

func (q *line) unlink(w *Waiter) {
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

func (q *line) count(w *Waiter, sign int) {
	q.length += sign
	for u := range units {
		q.cost[u] += int64(sign) * w.cost(u)
	}
}

// returned lists those who came back, in order.
func (q *line) returned() []*Waiter {
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
