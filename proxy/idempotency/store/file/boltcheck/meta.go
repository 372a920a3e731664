package boltcheck

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// Layout is what the newer meta page of a file says. The format is that of bbolt's
// internal/common, version 2, in the byte order of the machine.
type Layout struct {
	PageSize int64  // in bytes
	Root     uint64 // page of the root bucket
	Freelist uint64 // page of the list of free pages
	Pages    uint64 // number of pages
	TxID     uint64 // of the last commit
}

// The format of meta pages.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	pageHeader  = 16
	metaLength  = 64 // 56 bytes, and a checksum of them
)

// ReadLayout reads both meta pages of a file, and returns the newer one. A DamageError says
// that they are damaged, or that pages are missing at the end of the file.
func ReadLayout(path string) (Layout, error) {
	opened, err := os.Open(path)
	if err != nil {
		return Layout{}, err
	}
	defer func() { _ = opened.Close() }()
	return readLayout(opened)
}

func readLayout(opened *os.File) (Layout, error) {
	info, err := opened.Stat()
	if err != nil {
		return Layout{}, err
	}
	first, err := readMeta(opened, 0)
	if err != nil {
		return Layout{}, err
	}
	second, err := readMeta(opened, first.PageSize)
	if err != nil {
		return Layout{}, err
	}
	newer := first
	if second.TxID > first.TxID {
		newer = second
	}
	if first.PageSize != second.PageSize || newer.TxID-min(first.TxID, second.TxID) != 1 {
		return Layout{}, DamageError("its first two pages do not belong together")
	}
	if size := uint64(info.Size()); newer.Pages < 4 || newer.Pages > size/uint64(newer.PageSize) {
		return Layout{}, DamageError(fmt.Sprintf("it was truncated: of %d pages of %d bytes, %d are there", newer.Pages, newer.PageSize, size/uint64(newer.PageSize)))
	}
	return newer, nil
}

// readMeta reads a meta page.
func readMeta(from io.ReaderAt, at int64) (Layout, error) {
	var page [pageHeader + metaLength]byte
	if _, err := from.ReadAt(page[:], at); err != nil {
		return Layout{}, DamageError("it is too short")
	}
	m := page[pageHeader:]
	order := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(m[:56])
	l := Layout{
		PageSize: int64(order.Uint32(m[8:])),
		Root:     order.Uint64(m[16:]),
		Freelist: order.Uint64(m[32:]),
		Pages:    order.Uint64(m[40:]),
		TxID:     order.Uint64(m[48:]),
	}
	switch {
	case order.Uint32(m) != boltMagic:
		return Layout{}, DamageError("it is no bbolt file, or one of its first two pages is damaged")
	case order.Uint32(m[4:]) != boltVersion || sum.Sum64() != order.Uint64(m[56:]):
		return Layout{}, DamageError("one of its first two pages is damaged")
	case l.PageSize < 1<<10 || l.PageSize > 1<<20 || l.PageSize&(l.PageSize-1) != 0:
		return Layout{}, DamageError("its page size is not valid")
	}
	return l, nil
}
