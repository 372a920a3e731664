package memory

// queue is a linked list of entries. The links are in the entries.
type queue struct{ first, last *entry }

// link is an entry's link in a queue.
type link struct{ before, after *entry }

// The queues that an entry can be in at once.
const (
	byAge = iota
	byUse
	queues
)

// push appends an entry.
func (q *queue) push(kind int, e *entry) {
	e.links[kind] = link{before: q.last}
	if q.last == nil {
		q.first = e
	} else {
		q.last.links[kind].after = e
	}
	q.last = e
}

// pull removes an entry.
func (q *queue) pull(kind int, e *entry) {
	at := e.links[kind]
	if at.before == nil {
		q.first = at.after
	} else {
		at.before.links[kind].after = at.after
	}
	if at.after == nil {
		q.last = at.before
	} else {
		at.after.links[kind].before = at.before
	}
	e.links[kind] = link{}
}
