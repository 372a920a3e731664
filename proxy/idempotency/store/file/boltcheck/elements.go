package boltcheck

import "encoding/binary"

// element is one element of a branch page or a leaf page.
type element struct {
	child uint64 // of a branch: the page below
	flags uint32 // of a leaf
	value []byte // of a leaf
}

const elementHeader = 16

// element returns the key and the rest of the i-th element, and reports whether it lies
// within the page.
func (p page) element(i int) ([]byte, element, bool) {
	order := binary.NativeEndian
	at := pageHeader + i*elementHeader
	if at+elementHeader > len(p.body) {
		return nil, element{}, false
	}
	header := p.body[at:]
	if p.kind == branchPage {
		key, ok := p.part(at, order.Uint32(header), int64(order.Uint32(header[4:])))
		return key, element{child: order.Uint64(header[8:])}, ok
	}
	position, keySize, valueSize := order.Uint32(header[4:]), order.Uint32(header[8:]), order.Uint32(header[12:])
	both, ok := p.part(at, position, int64(keySize)+int64(valueSize))
	if !ok || keySize > uint32(len(both)) {
		return nil, element{}, false
	}
	return both[:keySize], element{flags: order.Uint32(header), value: both[keySize:]}, true
}

// part returns size bytes at an element's position, which is relative to the element. It
// reports whether they lie within the page, behind all elements.
func (p page) part(at int, position uint32, size int64) ([]byte, bool) {
	from, to := int64(at)+int64(position), int64(at)+int64(position)+size
	if from < int64(pageHeader+p.count*elementHeader) || to > int64(len(p.body)) {
		return nil, false
	}
	return p.body[from:to], true
}
