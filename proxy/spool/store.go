package spool

import (
	"errors"
	"io"
	"math/bits"
)

// Sizes of the blocks that carry bytes between a caller and a spool file, or
// between a spool file and a writer.
const (
	maxTransfer = 32 << 10
	// transferShare is the part of the free memory that one such block may take:
	// many at once then get smaller ones instead of the last ones getting none.
	transferShare = 1024
	// keptBack is the part of MemoryMax that only they may use.
	keptBack = 8
)

// Store keeps the bodies of all requests under common bounds. It is safe for
// concurrent use. Make it with New.
type Store struct {
	// Unspooled, if set, is told of each body that cannot be spooled, and why. Set it
	// before the first Read.
	Unspooled func(why error)

	config Config
	memory account
	spool  account
	pools  blockPools
	create func(dir string) (file, error) // replaced by tests that fill the disk
}

// New returns an empty store. It touches no disk: see Probe.
func New(c Config) *Store {
	return &Store{config: c, create: (&files{make: createUnlinked}).create}
}

// Read takes in the body that r yields, up to its io.EOF. It holds r no longer
// than that and does not close it. contentLength is what the caller announced,
// or -1; it sizes blocks and is checked, but grants nothing.
//
// Errors: ErrTooLarge, at once for an announced length over BodyMax, else with the
// first byte over it; *ReadError when r fails or ends early; ErrFull (wrapped). The
// body is nil but with ErrFull, where it holds all that was read: the caller then
// sends it with Once, or refuses the request. Every body that is not nil wants Close.
func (s *Store) Read(r io.Reader, contentLength int64) (*Body, error) {
	if contentLength > int64(s.config.BodyMax) {
		return nil, ErrTooLarge
	}
	b := &Body{store: s}
	b.blocks = b.few[:0]
	if contentLength == 0 {
		return b, nil
	}
	kept := false
	defer func() {
		if !kept { // also when r panics
			_ = b.Close()
		}
	}()
	err := (&intake{body: b, from: r, announced: contentLength}).run()
	if err != nil && !errors.Is(err, ErrFull) {
		return nil, err
	}
	kept = true
	return b, err
}

// Usage returns the bytes in use: first those in memory by all bodies and
// reservations, which counts blocks by capacity, then those of spool files by length.
func (s *Store) Usage() (int64, int64) {
	return s.memory.used.Load(), s.spool.used.Load()
}

// Reserve claims n bytes of memory for something that is kept elsewhere, such as
// a peeked answer, and reports whether they were there: bodies and reservations
// together get seven eighths of MemoryMax. Give the same n back with Free, once.
// A negative n is refused.
func (s *Store) Reserve(n int64) bool { return n >= 0 && s.memory.take(n, s.heldMax()) }

// Free gives back n bytes that Reserve granted.
func (s *Store) Free(n int64) { s.memory.free(n) }

// heldMax is the part of MemoryMax that bodies and reservations may use.
func (s *Store) heldMax() int64 {
	m := int64(s.config.MemoryMax)
	return m - m/keptBack
}

// hold returns a block of at least n bytes to keep a part of a body in, or nil.
func (s *Store) hold(n int64) *block {
	c := class(n)
	if !s.memory.take(blockSize(c), s.heldMax()) {
		return nil
	}
	return s.pools.lend(c)
}

// transfer returns a block to carry bytes with, or nil when all memory is used.
func (s *Store) transfer() *block {
	limit := int64(s.config.MemoryMax)
	share := uint64(max(limit-s.memory.used.Load(), 0)) / transferShare
	for c := min(max(bits.Len64(share)-bits.Len64(minBlock), 0), class(maxTransfer)); c >= 0; c-- {
		if s.memory.take(blockSize(c), limit) {
			return s.pools.lend(c)
		}
	}
	return nil
}

// carrier is transfer for a reader, which must not fail for want of memory: when
// all is used, it goes over the limit by the smallest block.
func (s *Store) carrier() *block {
	if b := s.transfer(); b != nil {
		return b
	}
	s.memory.charge(minBlock)
	return s.pools.lend(0)
}

// release takes back a block that hold or transfer lent.
func (s *Store) release(b *block) {
	s.memory.free(int64(len(b.buf)))
	s.pools.put(b)
}
