package memory

// queue is a list of entries, which hold their own places in it.
type queue struct{ first, last *entry }

// place is where an entry stands in a queue.
type place struct{ before, after *entry }

// The queues that an entry can be in at once.
const (
	byAge = iota
	byUse
	queues
)

// push enters an entry at the end.
func (q *queue) push(kind int, e *entry) {
	e.places[kind] = place{before: q.last}
	if q.last == nil {
		q.first = e
	} else {
		q.last.places[kind].after = e
	}
	q.last = e
}

// pull takes an entry out.
func (q *queue) pull(kind int, e *entry) {
	at := e.places[kind]
	if at.before == nil {
		q.first = at.after
	} else {
		at.before.places[kind].after = at.after
	}
	if at.after == nil {
		q.last = at.before
	} else {
		at.after.places[kind].before = at.before
	}
	e.places[kind] = place{}
}
