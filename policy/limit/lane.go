package limit

import (
	"container/heap"
	"slices"
)

// lane holds the waiters of one caller and priority in the order of their first arrival: a list
// of those who came for the first time, so that joining and leaving cost the same however long it
// is, and a heap of the few who came back.
type lane struct {
	class       *class
	caller      uint64
	first, last *Waiter
	back        returned
	round       int64 // in which it is served next
	index       int   // place in the heap of lanes
	fresh       int   // how many came for the first time
	length      int
	cost        [units]int64
}

// head returns who is next. Somebody waits.
func (ln *lane) head() *Waiter {
	if len(ln.back) > 0 && (ln.first == nil || ln.back[0].seq < ln.first.seq) {
		return ln.back[0]
	}
	return ln.first
}

// served counts the turn of one who still waits. One who came back counts too, so that nobody gets
// more turns by failing; but it does not take the others of its class a round on, since it went
// out of turn.
func (ln *lane) served(w *Waiter) {
	if w.state == stateFresh {
		ln.class.round = max(ln.class.round, ln.round)
	}
	ln.round++
}

// insert puts w before another, or at the end if that is nil; or among those who came back.
func (ln *lane) insert(w, before *Waiter, fresh bool) {
	if !fresh {
		w.state = stateReturned
		heap.Push(&ln.back, w)
		return
	}
	w.state = stateFresh
	w.prev, w.next = ln.last, before
	if before != nil {
		w.prev = before.prev
		before.prev = w
	} else {
		ln.last = w
	}
	if w.prev == nil {
		ln.first = w
	} else {
		w.prev.next = w
	}
}

// remove takes out one who waits.
func (ln *lane) remove(w *Waiter) {
	if w.state == stateReturned {
		heap.Remove(&ln.back, w.index)
		return
	}
	if w.prev == nil {
		ln.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		ln.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
}

// each calls f with each who waits, which may take that one out.
func (ln *lane) each(f func(*Waiter)) {
	back, first := slices.Clone(ln.back), ln.first
	for _, w := range back {
		f(w)
	}
	for w := first; w != nil; {
		next := w.next
		f(w)
		w = next
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

// lanes is a heap of lanes in which somebody waits, in the order of their turns. It implements
// heap.Interface.
type lanes []*lane

func (l lanes) Len() int { return len(l) }

// Less has who came back first. Then the callers go by rounds, and within one by arrival.
func (l lanes) Less(i, j int) bool {
	a, b := l[i].head(), l[j].head()
	if back := a.state == stateReturned; back != (b.state == stateReturned) {
		return back
	}
	if a.state == stateFresh && l[i].round != l[j].round {
		return l[i].round < l[j].round
	}
	return a.seq < b.seq
}

func (l lanes) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].index, l[j].index = i, j
}

// Push appends a *lane.
func (l *lanes) Push(x any) {
	ln := x.(*lane)
	ln.index = len(*l)
	*l = append(*l, ln)
}

// Pop removes the last.
func (l *lanes) Pop() any {
	old := *l
	ln := old[len(old)-1]
	old[len(old)-1] = nil
	*l = old[:len(old)-1]
	return ln
}

// levels counts at each number, from 1 on, the lanes that have as many who came for the first
// time, so that sum(n) is how many go in the next n rounds. It is a Fenwick tree: both methods
// take time by the logarithm of the longest lane. The zero value is empty.
type levels []int32

// mostLevels are kept while nobody waits.
const mostLevels = 64

// add counts a lane more, or less, at level n, which is at least 1.
func (t *levels) add(n int, more int32) {
	if len(*t) == 0 {
		*t = make(levels, 2) // of 2^k levels; the first is not used
	}
	for len(*t) <= n {
		size := len(*t) - 1
		*t = append(*t, make(levels, size)...)
		(*t)[2*size] = (*t)[size] // which counts all below it
	}
	for ; n < len(*t); n += n & -n {
		(*t)[n] += more
	}
}

// sum is how many lanes there are at the levels up to n.
func (t levels) sum(n int) int {
	total := 0
	for n = min(n, len(t)-1); n > 0; n &= n - 1 {
		total += int(t[n])
	}
	return total
}
