package limit

import (
	"slices"

	"outrigger/policy/priority"
)

// queue holds the waiters by priority, which get turns by weight. See class for those of one
// priority. The zero value is empty. With one priority and one caller it is one line in the order
// of first arrival.
type queue struct {
	classes [priority.Count]*class // by priority.Index; nil while nobody ever waited there
	waiting priority.Counts
	turns   priority.Turns
	length  int
	seq     uint64
	cost    [units]int64 // of all who wait
}

// head returns who is next, nil if nobody waits.
func (q *queue) head() *Waiter {
	p, ok := q.turns.Next(&q.waiting)
	if !ok {
		return nil
	}
	return q.classes[p.Index()].head()
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

// join puts w at its place: at the end of its caller's if it has just arrived, else where it was.
func (q *queue) join(w *Waiter, fresh bool) {
	q.insert(w, nil, fresh)
}

// insert puts w at its place, which is before another of its caller's if one is given.
func (q *queue) insert(w, before *Waiter, fresh bool) {
	i := w.Priority.Index()
	if q.classes[i] == nil {
		q.classes[i] = &class{priority: priority.All[i]}
	}
	if q.waiting[i] == 0 {
		q.turns.Begin(priority.All[i])
	}
	q.classes[i].join(w, before, fresh)
	q.count(i, w, 1)
}

// remove takes w out, wherever it stands. One who does not wait is left alone.
func (q *queue) remove(w *Waiter) {
	if !w.queued() {
		return
	}
	c := w.lane.class
	c.remove(w)
	q.count(c.priority.Index(), w, -1)
}

// serve takes w out, whose turn it is or whom the one whose turn it is lets pass.
func (q *queue) serve(w *Waiter) {
	q.turns.Take(w.lane.class.priority)
	w.lane.served(w)
	q.remove(w)
}

func (q *queue) count(i int, w *Waiter, sign int) {
	q.length += sign
	q.waiting[i] += sign
	for u := range units {
		q.cost[u] += int64(sign) * w.cost(u)
	}
}

// delays reports whether somebody may go later because w waits, or comes to wait.
func (q *queue) delays(w *Waiter) bool {
	return q.length > q.waiting[w.Priority.Index()] || len(q.classes[w.Priority.Index()].lanes) > 1
}

// Waiting is how many wait, by priority.Index.
func (l *Limiter) Waiting() [priority.Count]int { return l.queue.waiting }

// ahead is what those cost who go before one that came now, on average where not all of a
// caller or a priority do. It costs the same however long the queue is.
func (q *queue) ahead(w *Waiter) [units]int64 {
	i, own := w.Priority.Index(), 0
	var cost [units]int64
	if c := q.classes[i]; c != nil {
		own, cost = c.ahead(w.Caller)
	}
	if own == q.length {
		return cost
	}
	for j, n := range q.turns.Ahead(priority.All[i], own, q.waiting) {
		if j != i && n > 0 {
			q.classes[j].add(&cost, n)
		}
	}
	return cost
}

// walk calls f with each who waits, in the order in which they go. f reports whether it stays so
// that its turn counts, and may take it, and nobody else, out of the queue.
func (q *queue) walk(f func(*Waiter) bool) {
	var orders [priority.Count]order
	for i, c := range q.classes {
		if c != nil {
			orders[i] = c.order()
		}
	}
	turns, waiting := q.turns, q.waiting
	for {
		p, ok := turns.Next(&waiting)
		if !ok {
			return
		}
		waiting[p.Index()]--
		if f(orders[p.Index()].next()) {
			turns.Take(p)
		}
	}
}

// merge takes in all of another queue, in order of arrival. own is told of each.
func (q *queue) merge(other *queue, own func(*Waiter)) {
	other.move(q, func(*Waiter) bool { return true }, own)
}

// move takes those that are meant over into another queue, in order of arrival.
func (q *queue) move(to *queue, mine func(*Waiter) bool, own func(*Waiter)) {
	to.seq = max(to.seq, q.seq)
	for i, c := range q.classes {
		if c == nil {
			continue
		}
		for _, ln := range slices.Clone(c.lanes) {
			var at *Waiter // everybody before came earlier than the next to be moved
			if there := to.classes[i].laneOf(ln.caller); there != nil {
				at = there.first
			}
			ln.each(func(w *Waiter) {
				if !mine(w) {
					return
				}
				fresh := w.state == stateFresh
				for fresh && at != nil && at.seq <= w.seq {
					at = at.next
				}
				q.remove(w)
				own(w)
				to.insert(w, at, fresh)
			})
		}
	}
}
