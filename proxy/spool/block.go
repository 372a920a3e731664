package spool

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Blocks come in powers of two: a finer scale would waste less of the last block
// of a body, but share fewer blocks between bodies of different sizes.
const (
	minBlock = 1 << 10
	maxBlock = 1 << 20
	classes  = 11 // 1 KiB, 2 KiB … 1 MiB
)

// block is a piece of memory that is charged to the memory account while it is
// out of its pool. The first n bytes of buf belong to a body.
type block struct {
	buf  []byte
	n    int
	lent atomic.Bool // someone may read it when its body is closed: it is not for another one
}

// blockPools lends blocks, one pool per size class. The zero value is ready.
type blockPools [classes]sync.Pool

// class returns the smallest class whose blocks hold n bytes, the last one if none does.
func class(n int64) int {
	if n <= minBlock {
		return 0
	}
	return min(bits.Len64(uint64(n-1))-bits.Len64(minBlock-1), classes-1)
}

// blockSize returns the capacity of class c's blocks in bytes.
func blockSize(c int) int64 { return minBlock << c }

// lend returns a block of class c that holds nothing.
func (p *blockPools) lend(c int) *block {
	if b, ok := p[c].Get().(*block); ok {
		b.n = 0
		return b
	}
	return &block{buf: make([]byte, blockSize(c))}
}

// put takes back a block that is not used any more.
func (p *blockPools) put(b *block) {
	if !b.lent.Load() {
		p[class(int64(len(b.buf)))].Put(b)
	}
}
