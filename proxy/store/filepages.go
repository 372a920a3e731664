package store

import (
	"bytes"
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
	layout
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
	if err := v.tree(v.root, nil, nil, 0); err != nil {
		return err
	}
	if err := v.free(); err != nil {
		return err
	}
	for id := range v.pages {
		if v.seen[id/8]&(1<<(id%8)) == 0 {
			return damageError(fmt.Sprintf("page %d is neither used nor free", id))
		}
	}
	return nil
}

// see notes that a page is used, and reports whether it is the first time.
func (v *verifier) see(id uint64) bool {
	if id >= v.pages || v.seen[id/8]&(1<<(id%8)) != 0 {
		return false
	}
	v.seen[id/8] |= 1 << (id % 8)
	return true
}

// read returns a page that was not used before.
func (v *verifier) read(id uint64) (page, error) {
	bad := damageError(fmt.Sprintf("page %d is damaged", id))
	if !v.see(id) || id > math.MaxInt64/uint64(v.pageSize) {
		return page{}, bad
	}
	var header [pageHeader]byte
	if _, err := v.from.ReadAt(header[:], int64(id)*v.pageSize); err != nil {
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
	p.body = make([]byte, (1+int64(overflow))*v.pageSize)
	if _, err := v.from.ReadAt(p.body, int64(id)*v.pageSize); err != nil {
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

// tree goes through the tree under a page, whose keys are all from least on, and
// below most unless that is nil.
func (v *verifier) tree(id uint64, least, most []byte, depth int) error {
	p, err := v.read(id)
	if err != nil {
		return err
	}
	return v.elements(p, least, most, depth)
}

// elements goes through what is on a page of a tree.
func (v *verifier) elements(p page, least, most []byte, depth int) error {
	bad := damageError(fmt.Sprintf("page %d is damaged", p.id))
	if p.kind != branchPage && p.kind != leafPage || depth > deepest || p.kind == branchPage && p.count == 0 {
		return bad
	}
	previous := least
	for i := range p.count {
		key, e, ok := p.element(i)
		if !ok || bytes.Compare(key, previous) < 0 || i > 0 && bytes.Equal(key, previous) || most != nil && bytes.Compare(key, most) >= 0 {
			return bad
		}
		previous = key
		if err := v.element(p, i, key, e, most, depth); err != nil {
			return err
		}
	}
	return nil
}

// element goes through what an element leads to: a page, a bucket, or nothing.
func (v *verifier) element(p page, i int, key []byte, e element, most []byte, depth int) error {
	switch {
	case p.kind == branchPage:
		if next, _, ok := p.element(i + 1); i+1 < p.count && ok {
			most = next
		}
		return v.tree(e.child, key, most, depth+1)
	case e.flags == bucketLeaf && len(e.value) >= bucketHeader:
		root := binary.NativeEndian.Uint64(e.value)
		if root != 0 {
			return v.tree(root, nil, nil, depth+1)
		}
		if len(e.value) < bucketHeader+pageHeader {
			return damageError(fmt.Sprintf("a bucket on page %d is damaged", p.id))
		}
		inline, _ := parse(e.value[bucketHeader:])
		inline.id, inline.body = p.id, e.value[bucketHeader:]
		if inline.kind != leafPage {
			return damageError(fmt.Sprintf("a bucket on page %d is damaged", p.id))
		}
		return v.elements(inline, nil, nil, depth+1)
	case e.flags != 0:
		return damageError(fmt.Sprintf("an element of page %d is damaged", p.id))
	}
	return nil
}
