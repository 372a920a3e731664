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
	deepest      = 64     // no tree has as many levels
	manyFree     = 0xFFFF // a count of free pages that stands in the first entry instead
)

// verifier reads all pages of a file.
type verifier struct {
	Layout
	from io.ReaderAt
	seen []byte // one bit for each page
}

// page is one page, together with its overflow pages.
type page struct {
	id    uint64
	kind  uint16
	count int
	body  []byte // with its header
}

// all verifies the tree and the list of free pages.
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

// see notes that a page is used, and reports whether that is possible: it is within the file
// and was not seen before.
func (v *verifier) see(id uint64) bool {
	if id >= v.Pages || v.seen[id/8]&(1<<(id%8)) != 0 {
		return false
	}
	v.seen[id/8] |= 1 << (id % 8)
	return true
}

// read reads a page that was not seen before.
func (v *verifier) read(id uint64) (page, error) {
	bad := DamageError(fmt.Sprintf("page %d is damaged", id))
	if !v.see(id) || id > math.MaxInt64/uint64(v.PageSize) {
		return page{}, bad
	}
	var header [pageHeader]byte
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

// parse reads a page's header, and returns how many overflow pages follow it.
func parse(header []byte) (page, uint64) {
	order := binary.NativeEndian
	return page{
		id: order.Uint64(header), kind: order.Uint16(header[8:]), count: int(order.Uint16(header[10:])), body: header,
	}, uint64(order.Uint32(header[12:]))
}
