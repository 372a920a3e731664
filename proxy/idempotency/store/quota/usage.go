package quota

import (
	"container/heap"

	"outrigger/proxy/idempotency/claims"
)

// Usage is how many bytes each owner has, and who has most. T is what a store keeps for each
// owner besides. The zero value is empty. It is not safe for concurrent use.
type Usage[T any] struct {
	used    int64
	owners  map[claims.Owner]*Share[T]
	largest shareHeap[T]
}

// Share is what one owner has.
type Share[T any] struct {
	Owner claims.Owner
	Used  int64 // bytes; Grow alone changes it
	Kept  T     // what the store keeps for the owner
	at    int   // index in the heap
}

// Used returns the bytes of all owners together.
func (u *Usage[T]) Used() int64 { return u.used }

// Largest returns the share of the owner that has most, nil if nobody has anything.
func (u *Usage[T]) Largest() *Share[T] {
	if len(u.largest) == 0 {
		return nil
	}
	return u.largest[0]
}

// Of returns an owner's share, nil if it has nothing.
func (u *Usage[T]) Of(owner claims.Owner) *Share[T] { return u.owners[owner] }

// Grow adds n bytes to an owner's share, or takes them away, and returns the share. An
// owner with nothing is forgotten.
func (u *Usage[T]) Grow(owner claims.Owner, n int64) *Share[T] {
	own := u.owners[owner]
	if own == nil {
		if u.owners == nil {
			u.owners = make(map[claims.Owner]*Share[T])
		}
		own = &Share[T]{Owner: owner}
		u.owners[owner] = own
		heap.Push(&u.largest, own)
	}
	u.used += n
	own.Used += n
	heap.Fix(&u.largest, own.at)
	if own.Used == 0 {
		heap.Remove(&u.largest, own.at)
		delete(u.owners, owner)
	}
	return own
}

// shareHeap is a heap.Interface with the largest share on top.
type shareHeap[T any] []*Share[T]

// Len implements heap.Interface.
func (h shareHeap[T]) Len() int { return len(h) }

// Less implements heap.Interface.
func (h shareHeap[T]) Less(i, j int) bool { return h[i].Used > h[j].Used }

// Swap implements heap.Interface.
func (h shareHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *shareHeap[T]) Push(x any) {
	own := x.(*Share[T])
	own.at = len(*h)
	*h = append(*h, own)
}

// Pop implements heap.Interface.
func (h *shareHeap[T]) Pop() any {
	last := len(*h) - 1
	own := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return own
}
