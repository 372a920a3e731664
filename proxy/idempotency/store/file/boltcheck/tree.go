package boltcheck

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// tree verifies the tree under a page. All its keys must be from least on, and below most
// unless that is nil.
func (v *verifier) tree(id uint64, least, most []byte, depth int) error {
	p, err := v.read(id)
	if err != nil {
		return err
	}
	return v.elements(p, least, most, depth)
}

// elements verifies the elements of a page.
func (v *verifier) elements(p page, least, most []byte, depth int) error {
	bad := DamageError(fmt.Sprintf("page %d is damaged", p.id))
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

// element verifies what an element leads to: a page, a bucket, or nothing.
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
			return DamageError(fmt.Sprintf("a bucket on page %d is damaged", p.id))
		}
		inline, _ := parse(e.value[bucketHeader:])
		inline.id, inline.body = p.id, e.value[bucketHeader:]
		if inline.kind != leafPage {
			return DamageError(fmt.Sprintf("a bucket on page %d is damaged", p.id))
		}
		return v.elements(inline, nil, nil, depth+1)
	case e.flags != 0:
		return DamageError(fmt.Sprintf("an element of page %d is damaged", p.id))
	}
	return nil
}
