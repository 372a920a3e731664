package claims

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
type Loan struct {
	room  Room
	bytes atomic.Int64
}

func (l *Loan) Free() {
	if l != nil {
		l.room.Free(l.bytes.Swap(0))
	}
}

// borrow reserves memory for what is read.
func Borrow(room Room, n int64) (*Loan, error) {
	if !room.Reserve(n) {
		return nil, ErrMemory
	}
	return Lend(room, n), nil
}

// lend is borrow of what was reserved.
func Lend(room Room, n int64) *Loan {
	l := &Loan{room: room}
	l.bytes.Store(n)
	return l
}

// Free says that the claim's answer is not read any more. It must be called on each
// claim with an answer, after its last use; calls after the first do nothing.
func (c Claim) Free() { c.loan.Free() }

// keep has the claim hold what was borrowed for its answer; without one it is freed.
func (l *Loan) For(c Claim) Claim {
	if c.Answer == nil {
		l.Free()
		return c
	}
	c.loan = l
	return c
}
