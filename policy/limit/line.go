package limit

import "container/heap"

// line holds the waiters in the order of their first arrival: a list of those who
// came for the first time, so that joining and leaving cost the same however long
// it is, and a heap of the few who came back. The zero value is empty.
type line struct {
	first, last *Waiter
	back        returned
	length      int
	seq         uint64
	tokens      int64 // sums over all who wait
	images      int64
}

// head returns who is first, nil if nobody waits.
func (q *line) head() *Waiter {
	if len(q.back) > 0 && (q.first == nil || q.back[0].seq < q.first.seq) {
		return q.back[0]
	}
	return q.first
}

// join puts w at its place: at the end the first time, where it was after that.
func (q *line) join(w *Waiter) {
	q.count(w, 1)
	if w.seq != 0 {
		w.state = stateReturned
		heap.Push(&q.back, w)
		return
	}
	q.seq++
	w.seq = q.seq
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
	default:
		return
	}
	w.state = stateIdle
	q.count(w, -1)
}

func (q *line) count(w *Waiter, sign int64) {
	q.length += int(sign)
	q.tokens += sign * w.cost(slotTokens)
	q.images += sign * w.cost(slotImages)
}

// cost is what all who wait draw on in a slot.
func (q *line) cost(s slot) int64 {
	switch s {
	case slotRequests, slotRequestsLong:
		return int64(q.length)
	case slotImages:
		return q.images
	default:
		return q.tokens
	}
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
