package claims

import "time"

// Limits bounds what a store keeps. The zero value keeps nothing.
type Limits struct {
	// TTL is how long an answer is kept, and how long an Unknown create keeps its key.
	TTL time.Duration
	// Bytes bounds all answers together, in bytes. Redis has a bound of its own.
	Bytes int64
}

// largestShare is the part of Bytes that one answer may take: small enough that one
// caller's large answer does not evict everybody's.
const largestShare = 8

// Largest returns the Size of the largest answer that is stored, in bytes.
func (l Limits) Largest() int64 { return l.Bytes / largestShare }
