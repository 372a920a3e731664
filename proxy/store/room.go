package store

import (
	"fmt"
	"sync/atomic"
)

// Room is the memory that all requests share (OUTRIGGER_MEMORY_MAX). It counts stored
// answers for as long as they are being given, and those that a Redis is owed.
type Room interface {
	Reserve(n int64) bool
	Free(n int64)
}

// ErrMemory says that an answer is stored, and that there is no memory to read it into
// now. It is an ErrUnavailable.
var ErrMemory = fmt.Errorf("%w: there is no memory left to read the answer into", ErrUnavailable)

// lent is memory that was reserved, to be freed once.
type lent struct {
	room  Room
	bytes atomic.Int64
}

func (l *lent) free() {
	if l != nil {
		l.room.Free(l.bytes.Swap(0))
	}
}

// borrow reserves memory for what is read.
func borrow(room Room, n int64) (*lent, error) {
	if !room.Reserve(n) {
		return nil, ErrMemory
	}
	return lend(room, n), nil
}

// lend is borrow of what was reserved.
func lend(room Room, n int64) *lent {
	l := &lent{room: room}
	l.bytes.Store(n)
	return l
}

// Free says that the claim's answer is not read any more. It must be called on each
// claim with an answer, after its last use; calls after the first do nothing.
func (c Claim) Free() { c.lent.free() }

// keep has the claim hold what was borrowed for its answer; without one it is freed.
func (l *lent) keep(c Claim) Claim {
	if c.Answer == nil {
		l.free()
		return c
	}
	c.lent = l
	return c
}
