package store

import (
	"container/heap"
	"container/list"
)

// shares keeps entries in lists, one for each owner, and knows which owner has most. So
// whoever fills a store makes room with what is its own. It is not safe for concurrent
// use.
type shares struct {
	used    int64
	owners  map[Owner]*share
	largest shareHeap
}

// share is what one owner has, the least recently used first: [0] of computes, [1] of
// creates.
type share struct {
	owner Owner
	used  int64
	uses  [2]list.List
	at    int // in the heap
}

// add enters an entry, as the most recently used.
func (s *shares) add(e *entry) {
	own := s.owners[e.call.Owner]
	if own == nil {
		if s.owners == nil {
			s.owners = make(map[Owner]*share)
		}
		own = &share{owner: e.call.Owner}
		s.owners[e.call.Owner] = own
		heap.Push(&s.largest, own)
	}
	e.use, e.held = own.uses[e.list()].PushBack(e), s
	s.grow(own, e.cost())
}

// remove takes an entry out, before its cost changes.
func (s *shares) remove(e *entry) {
	own := s.owners[e.call.Owner]
	own.uses[e.list()].Remove(e.use)
	e.use, e.held = nil, nil
	s.grow(own, -e.cost())
	if own.uses[0].Len()+own.uses[1].Len() == 0 {
		heap.Remove(&s.largest, own.at)
		delete(s.owners, own.owner)
	}
}

// touch notes that an entry was used.
func (s *shares) touch(e *entry) {
	s.owners[e.call.Owner].uses[e.list()].MoveToBack(e.use)
}

// first returns what is to make room first, or nil: of the owner that has most, the
// least recently used, computes before creates.
func (s *shares) first() *entry {
	if len(s.largest) == 0 {
		return nil
	}
	for i := range s.largest[0].uses {
		if front := s.largest[0].uses[i].Front(); front != nil {
			return front.Value.(*entry)
		}
	}
	return nil
}

func (s *shares) grow(own *share, n int64) {
	s.used += n
	own.used += n
	heap.Fix(&s.largest, own.at)
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
