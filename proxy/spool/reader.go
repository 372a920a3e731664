package spool

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Reader reads a Body from its start. Make it with Body.Reader. Read, WriteTo and
// Len are for one goroutine; Close is safe at any time, as HTTP transports close
// a body that they still read.
type Reader struct {
	body   *Body
	off    int64 // bytes read
	block  int   // the block that holds off, or one before it
	start  int64 // where that block begins
	closed atomic.Bool
}

var _ interface {
	io.ReadCloser
	io.WriterTo
} = (*Reader)(nil)

// Len returns the number of bytes not yet read, also after Close.
func (r *Reader) Len() int64 { return r.body.size - r.off }

// Close makes later reads fail with ErrClosed. The body stays. It returns nil.
func (r *Reader) Close() error {
	r.closed.Store(true)
	return nil
}

// Read reads the next bytes. Errors: io.EOF at the end; ErrClosed when reader or
// body were closed before it; what the disk reports.
func (r *Reader) Read(p []byte) (int, error) {
	err := r.enter()
	if err != nil {
		return 0, err
	}
	defer r.body.unpin()
	if r.off >= r.body.onDisk {
		n := copy(p, r.memory())
		r.off += int64(n)
		return n, nil
	}
	n, err := r.disk(p)
	r.off += int64(n)
	return n, err
}

// WriteTo writes what is not yet read to w, straight from memory where the body is
// there. The errors are those of Read, without io.EOF, and w's.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for {
		err := r.enter()
		if err == io.EOF { //nolint:errorlint // enter's own
			return written, nil
		}
		if err != nil {
			return written, err
		}
		n, err := r.writePiece(w)
		r.off += n
		written += n
		if err != nil {
			return written, err
		}
	}
}

// writePiece writes one block of the body, which is pinned, and unpins it: w may be
// slow, and Close comes between two blocks, not after all.
func (r *Reader) writePiece(w io.Writer) (int64, error) {
	defer r.body.unpin()
	if r.off >= r.body.onDisk {
		n, err := w.Write(r.memory())
		return int64(n), err
	}
	carrier := r.body.store.carrier()
	defer r.body.store.release(carrier)
	n, err := r.disk(carrier.buf)
	if err != nil {
		return 0, err
	}
	n, err = w.Write(carrier.buf[:n])
	return int64(n), err
}

// enter pins the body for one read.
func (r *Reader) enter() error {
	if r.closed.Load() {
		return ErrClosed
	}
	if r.off >= r.body.size {
		return io.EOF
	}
	if !r.body.pin() {
		return ErrClosed
	}
	return nil
}

// disk reads from the spool file. The body is pinned and off is there.
func (r *Reader) disk(p []byte) (int, error) {
	left := r.body.onDisk - r.off
	n, err := r.body.file.ReadAt(p[:min(int64(len(p)), left)], r.off)
	if n > 0 || err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return 0, fmt.Errorf("reading a spool file: %w", err)
}

// memory returns the bytes in memory at off. The body is pinned, and off is past
// the file and before the end.
func (r *Reader) memory() []byte {
	for _, block := range r.body.blocks[r.block:] {
		if at := r.off - r.start; at < int64(block.n) {
			return block.buf[at:block.n]
		}
		r.block++
		r.start += int64(block.n)
	}
	return r.body.last[:]
}
