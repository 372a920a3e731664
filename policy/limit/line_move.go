package limit

import "slices"

// merge takes in all of another line, in order of arrival. own is told of each.
func (q *line) merge(other *line, own func(*Waiter)) {
	other.move(q, func(*Waiter) bool { return true }, own)
}

// move takes those that are meant over into another line, in order of arrival.
func (q *line) move(to *line, mine func(*Waiter) bool, own func(*Waiter)) {
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
func (q *line) insert(w, at *Waiter) {
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
