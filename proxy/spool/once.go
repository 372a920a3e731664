package spool

import (
	"errors"
	"io"
	"sync/atomic"
)

// Once returns a reader of the body followed by rest: for sending a body that
// could not be kept, without a chance to send it again. It takes the body over and
// closes it when that part was read, so that its memory is free while rest flows.
//
// Errors: io.EOF at rest's end; *ReadError when rest fails; ErrTooLarge with the
// first byte over BodyMax; and those of Reader. Close closes the body, not rest,
// and may be called while another goroutine reads.
func (b *Body) Once(rest io.Reader) io.ReadCloser {
	return &once{body: b, prefix: b.Reader(), rest: rest}
}

type once struct {
	body   *Body
	prefix *Reader
	rest   io.Reader
	passed int64 // bytes of rest
	closed atomic.Bool
}

func (o *once) Read(p []byte) (int, error) {
	if o.closed.Load() {
		return 0, ErrClosed
	}
	n, err := o.prefix.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	_ = o.body.Close()
	n, err = o.rest.Read(p)
	o.passed += int64(n)
	if over := o.body.size + o.passed - int64(o.body.store.config.BodyMax); over > 0 {
		return max(n-int(over), 0), ErrTooLarge
	}
	if err != nil && err != io.EOF { //nolint:errorlint // only io.EOF itself is the end (io.Reader)
		err = &ReadError{Err: err}
	}
	return n, err
}

func (o *once) Close() error {
	o.closed.Store(true)
	return o.body.Close()
}
