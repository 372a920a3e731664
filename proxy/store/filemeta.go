package store

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// layout is what the valid meta page of a bbolt file says. The format is that of
// bbolt's internal/common, version 2, in the byte order of the machine.
type layout struct {
	pageSize int64
	root     uint64 // page of the root bucket
	freelist uint64 // page of the list of free pages
	pages    uint64 // all pages are below this
	txid     uint64
}

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	pageHeader  = 16
	metaLength  = 64 // of a meta page's content: 56 bytes, and a checksum of them
)

// readLayout reads both meta pages, and returns the newer one.
func readLayout(path string) (layout, error) {
	opened, err := os.Open(path)
	if err != nil {
		return layout{}, err
	}
	defer func() { _ = opened.Close() }()
	info, err := opened.Stat()
	if err != nil {
		return layout{}, err
	}
	first, err := readMeta(opened, 0)
	if err != nil {
		return layout{}, err
	}
	second, err := readMeta(opened, first.pageSize)
	if err != nil {
		return layout{}, err
	}
	newer := first
	if second.txid > first.txid {
		newer = second
	}
	if first.pageSize != second.pageSize || newer.txid-min(first.txid, second.txid) != 1 {
		return layout{}, damageError("its first two pages do not belong together")
	}
	if size := uint64(info.Size()); newer.pages < 4 || newer.pages > size/uint64(newer.pageSize) {
		return layout{}, damageError(fmt.Sprintf("it was cut: of %d pages of %d bytes, there are %d", newer.pages, newer.pageSize, size/uint64(newer.pageSize)))
	}
	return newer, nil
}

// readMeta reads a meta page.
func readMeta(from io.ReaderAt, at int64) (layout, error) {
	var page [pageHeader + metaLength]byte
	if _, err := from.ReadAt(page[:], at); err != nil {
		return layout{}, damageError("it is too short")
	}
	m := page[pageHeader:]
	order := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(m[:56])
	l := layout{
		pageSize: int64(order.Uint32(m[8:])),
		root:     order.Uint64(m[16:]),
		freelist: order.Uint64(m[32:]),
		pages:    order.Uint64(m[40:]),
		txid:     order.Uint64(m[48:]),
	}
	switch {
	case order.Uint32(m) != boltMagic:
		return layout{}, damageError("it is no bbolt file, or one of its first two pages is damaged")
	case order.Uint32(m[4:]) != boltVersion || sum.Sum64() != order.Uint64(m[56:]):
		return layout{}, damageError("one of its first two pages is damaged")
	case l.pageSize < 1<<10 || l.pageSize > 1<<20 || l.pageSize&(l.pageSize-1) != 0:
		return layout{}, damageError("its pages have no size that pages have")
	}
	return l, nil
}
