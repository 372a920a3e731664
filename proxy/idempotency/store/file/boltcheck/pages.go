package boltcheck

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Kinds of pages, and of elements on them.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketLeaf   = 0x01

	bucketHeader = 16     // a bucket's value begins with its root page and a sequence
	deepest      = 64     // more levels than any tree has
	manyFree     = 0xFFFF // a free list whose count says this has its count in its first entry
)

// verifier goes through all pages of a file.
type verifier struct {
	Layout
	from io.ReaderAt
	seen []byte // one bit for each page
}

// page is one page with the ones that it runs over into.
type page struct {
	id    uint64
	kind  uint16
	count int
	body  []byte // all of it, with its header
}

// all goes through the tree and the list of free pages.
func (v *verifier) all() error {
	if err := v.tree(v.Root, nil, nil, 0); err != nil {
		return err
	}
	if err := v.free(); err != nil {
		return err
	}
	for id := range v.Pages {
		if v.seen[id/8]&(1<<(id%8)) == 0 {
			return DamageError(fmt.Sprintf("page %d is neither used nor free", id))
		}
	}
	return nil
}

// see notes that a page is used, and reports whether it is the first time.
func (v *verifier) see(id uint64) bool {
	if id >= v.Pages || v.seen[id/8]&(1<<(id%8)) != 0 {
		return false
	}
	v.seen[id/8] |= 1 << (id % 8)
	return true
}

// read returns a page that was not used before.
func (v *verifier) read(id uint64) (page, error) {
	bad := DamageError(fmt.Sprintf("page %d is damaged", id))
	if !v.see(id) || id > math.MaxInt64/uint64(v.PageSize) {
		return page{}, bad
	}
	var header [PageHeader]byte
	if _, err := v.from.ReadAt(header[:], int64(id)*v.PageSize); err != nil {
		return page{}, bad
	}
	p, overflow := parse(header[:])
	if p.id != id {
		return page{}, bad
	}
	for next := range overflow {
		if !v.see(id + 1 + next) {
			return page{}, bad
		}
	}
	p.body = make([]byte, (1+int64(overflow))*v.PageSize)
	if _, err := v.from.ReadAt(p.body, int64(id)*v.PageSize); err != nil {
		return page{}, bad
	}
	return p, nil
}

// parse reads a page's header, and returns how many pages it runs over into.
func parse(header []byte) (page, uint64) {
	order := binary.NativeEndian
	return page{
		id: order.Uint64(header), kind: order.Uint16(header[8:]), count: int(order.Uint16(header[10:])), body: header,
	}, uint64(order.Uint32(header[12:]))
}
