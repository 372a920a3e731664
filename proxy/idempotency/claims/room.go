package claims

import "sync/atomic"

// Room is the memory that all requests share (OUTRIGGER_MEMORY_MAX), in bytes. Stored answers
// count while they are read, and so do those that wait to be written to Redis.
type Room interface {
	// Reserve takes n bytes, if there are so many.
	Reserve(n int64) bool
	// Free gives n bytes back.
	Free(n int64)
}

// Loan is memory that was reserved for an answer, to be freed once. A nil Loan has none.
type Loan struct {
	room  Room
	bytes atomic.Int64
}

// Borrow reserves n bytes for an answer that is about to be read; ErrMemory if there are not
// so many.
func Borrow(room Room, n int64) (*Loan, error) {
	if !room.Reserve(n) {
		return nil, ErrMemory
	}
	return Lend(room, n), nil
}

// Lend is Borrow of bytes that were reserved before.
func Lend(room Room, n int64) *Loan {
	l := &Loan{room: room}
	l.bytes.Store(n)
	return l
}

// Free gives the memory back. Further calls do nothing.
func (l *Loan) Free() {
	if l != nil {
		l.room.Free(l.bytes.Swap(0))
	}
}

// For returns the claim with the loan, which Claim.Free ends. Without an answer in the claim
// the loan ends at once.
func (l *Loan) For(c Claim) Claim {
	if c.Answer == nil {
		l.Free()
		return c
	}
	c.loan = l
	return c
}
