package memory

import (
	"outrigger/proxy/idempotency/claims"
)

// reader is a claim's share in an answer that is being read. Nothing frees the memory of an
// answer that is read, even when it is evicted or expires. So it counts inside Room from its
// first reader to its last.
type reader struct {
	m     *Store
	e     *entry
	bytes int64
}

// read lends an entry's answer. It wants m.mu held.
func (m *Store) read(e *entry) (*claims.Loan, error) {
	bytes := int64(len(e.answer))
	if m.reading[e] == 0 && !m.room.Reserve(bytes) {
		return nil, claims.ErrMemory
	}
	m.reading[e]++
	return claims.Lend(reader{m, e, bytes}, bytes), nil
}

// Reserve implements claims.Room. Nothing more is reserved by a reader.
func (r reader) Reserve(int64) bool { return false }

// Free implements claims.Room.
func (r reader) Free(n int64) {
	if n == 0 { // freed before
		return
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if r.m.reading[r.e]--; r.m.reading[r.e] == 0 {
		delete(r.m.reading, r.e)
		r.m.room.Free(r.bytes)
	}
}
