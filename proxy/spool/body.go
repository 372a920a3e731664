package spool

import (
	"math"
	"sync/atomic"
)

// Body is one request body, complete, or as far as it was read when the error
// that came with it wraps ErrFull. All methods are safe for concurrent use.
type Body struct {
	store *Store
	pins  atomic.Int64 // reads in progress, plus closing once Close was called
	size  int64

	// The content, in this order. Read only while pinned.
	file   file
	onDisk int64 // bytes of file that are content
	blocks []*block
	few    [10]*block // a body of 1 MiB of unknown length has nine
	last   [1]byte    // where Read waits for the next byte; content if size says so
}

// closing makes pins negative once a body is closed, however many reads go on.
const closing = math.MinInt64 / 2

// Size returns the length of the body in bytes, also after Close.
func (b *Body) Size() int64 { return b.size }

// InMemory reports whether no part of the body is in a spool file.
func (b *Body) InMemory() bool { return b.file == nil }

// Bytes returns the whole body if it is in memory and in one piece, else nil. Nobody may change
// it. It stays as it is when the body is closed, although it does not count as memory in use then:
// an HTTP transport may still read what it sends when the answer is over.
func (b *Body) Bytes() []byte {
	if !b.pin() {
		return nil
	}
	defer b.unpin()
	if b.file != nil || len(b.blocks) != 1 || int64(b.blocks[0].n) != b.size {
		return nil
	}
	b.blocks[0].lent.Store(true)
	return b.blocks[0].buf[:b.size:b.size]
}

// Reader returns a reader from the body's start. Any number of them may be used,
// at once or one after another. They need not be closed before the body.
func (b *Body) Reader() *Reader { return &Reader{body: b, start: b.onDisk} }

// Close frees the body's memory and disk, at once or when the reads in progress
// have returned; reads that start later fail with ErrClosed. Only the first call
// has an effect. It always returns nil.
func (b *Body) Close() error {
	for {
		pins := b.pins.Load()
		if pins < 0 {
			return nil
		}
		if b.pins.CompareAndSwap(pins, pins+closing) {
			if pins == 0 {
				b.free()
			}
			return nil
		}
	}
}

// pin keeps memory and file from being freed until unpin, and reports false,
// without effect, if the body is closed.
func (b *Body) pin() bool {
	for {
		pins := b.pins.Load()
		if pins < 0 {
			return false
		}
		if b.pins.CompareAndSwap(pins, pins+1) {
			return true
		}
	}
}

func (b *Body) unpin() {
	if b.pins.Add(-1) == closing {
		b.free()
	}
}

// free gives everything back. It runs once, when the body is closed and unpinned.
func (b *Body) free() {
	b.drop(0)
	if b.file != nil {
		_ = b.file.Close() // the file has no name: nothing is left to report on
		b.store.spool.free(b.onDisk)
	}
}

// drop gives back all blocks but the first keep.
func (b *Body) drop(keep int) {
	for i, block := range b.blocks[keep:] {
		b.store.release(block)
		b.blocks[keep+i] = nil
	}
	b.blocks = b.blocks[:keep]
}

// extend counts n bytes that were written into the room of the last block.
func (b *Body) extend(n int) {
	b.blocks[len(b.blocks)-1].n += n
	b.size += int64(n)
}
