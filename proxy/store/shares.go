package store

import "container/heap"

// shares knows what each owner has, in bytes, and who has most. So whoever fills a store
// makes room with what is its own. It is not safe for concurrent use.
type shares struct {
	used    int64
	owners  map[Owner]*share
	largest shareHeap
}

// share is what one owner has. In memory, its entries are in uses, the least recently
// used first: [0] computes, [1] creates.
type share struct {
	owner Owner
	used  int64
	uses  [2]queue
	at    int // in the heap
}

// grow counts n bytes more of an owner, or fewer. One with nothing is forgotten.
func (s *shares) grow(owner Owner, n int64) *share {
	own := s.owners[owner]
	if own == nil {
		if s.owners == nil {
			s.owners = make(map[Owner]*share)
		}
		own = &share{owner: owner}
		s.owners[owner] = own
		heap.Push(&s.largest, own)
	}
	s.used += n
	own.used += n
	heap.Fix(&s.largest, own.at)
	if own.used == 0 {
		heap.Remove(&s.largest, own.at)
		delete(s.owners, owner)
	}
	return own
}

// add enters an entry, as the most recently used.
func (s *shares) add(e *entry) {
	s.grow(e.call.Owner, e.cost()).uses[e.list()].push(byUse, e)
}

// remove takes an entry out, before its cost changes.
func (s *shares) remove(e *entry) {
	s.owners[e.call.Owner].uses[e.list()].pull(byUse, e)
	s.grow(e.call.Owner, -e.cost())
}

// touch notes that an entry was used.
func (s *shares) touch(e *entry) {
	uses := &s.owners[e.call.Owner].uses[e.list()]
	uses.pull(byUse, e)
	uses.push(byUse, e)
}

// first returns what is to make room first, or nil: of the owner that has most, the
// least recently used, computes before creates.
func (s *shares) first() *entry {
	if len(s.largest) == 0 {
		return nil
	}
	if computes := s.largest[0].uses[0].first; computes != nil {
		return computes
	}
	return s.largest[0].uses[1].first
}

// shareHeap is a heap.Interface with the largest share on top.
type shareHeap []*share

// Len implements heap.Interface.
func (h shareHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h shareHeap) Less(i, j int) bool { return h[i].used > h[j].used }

// Swap implements heap.Interface.
func (h shareHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *shareHeap) Push(x any) {
	own := x.(*share)
	own.at = len(*h)
	*h = append(*h, own)
}

// Pop implements heap.Interface.
func (h *shareHeap) Pop() any {
	last := len(*h) - 1
	own := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return own
}
