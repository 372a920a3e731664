package decode

import (
	"bytes"
	"compress/gzip"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// windowMax is the largest zstd window that is decoded, in bytes: RFC 9659, section
// 3, allows servers no more. The decoder's own bound is far above what one body may
// take in memory.
const windowMax = 8 << 20

// A decoder takes some 40 KiB and more, and answers are many: each is used again. Those of
// zstd are not: few upstreams send it, and each keeps as much as its largest window, up to
// windowMax.
var (
	gzips   = pool{make: func() decoder { return new(gzip.Reader) }}
	brotlis = pool{make: func() decoder { return new(brotli.Reader) }}
)

// decoder is what the pooled decoders have in common.
type decoder interface {
	io.Reader
	Reset(r io.Reader) error
}

// newZstd returns a decoder of r that works in the calling goroutine: concurrency 1
// starts none. No option that is given here can fail.
func newZstd(r io.Reader) io.ReadCloser {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(windowMax))
	if err != nil {
		return opened(nil, err)
	}
	return d.IOReadCloser()
}

// pool lends decoders of one coding.
type pool struct {
	make func() decoder
	free sync.Pool
}

// open returns a decoder of r. Its Close gives it back.
func (p *pool) open(r io.Reader) io.ReadCloser {
	d, ok := p.free.Get().(decoder)
	if !ok {
		d = p.make()
	}
	if err := d.Reset(r); err != nil {
		p.free.Put(d)
		return opened(nil, err)
	}
	return &lent{d, p}
}

// lent is a decoder on loan, for one goroutine.
type lent struct {
	decoder
	from *pool
}

// Close gives the decoder back, without what it read from.
func (l *lent) Close() error {
	if l.from == nil {
		return nil
	}
	_ = l.Reset(bytes.NewReader(nil)) // gzip's fails: there is no header
	l.from.free.Put(l.decoder)
	l.decoder, l.from = nothing{}, nil
	return nil
}

// nothing is what is left of a decoder that was given back.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (nothing) Reset(io.Reader) error    { return io.ErrClosedPipe }
