package recording

import (
	"context"
	"io"
	"net/http"
)

// Reader reads one Recording from its start. It is for one goroutine, and must be closed.
type Reader struct {
	r     *Recording
	at    int64 // how far the reader has finished
	given int64 // how far Next has returned
}

// Reader returns a new reader, or nil when the answer's beginning is no longer buffered.
func (r *Recording) Reader() *Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base > 0 || !r.kept {
		return nil
	}
	reader := &Reader{r: r}
	r.readers[reader] = struct{}{}
	return reader
}

// Header waits for the first bytes of the body, or the end, and returns the answer's status and
// header, which must not be changed. No server sends a header before it has something to send
// after it. Status is 0 when the answer ended without one. The error is the cause of ctx's
// end.
func (d *Reader) Header(ctx context.Context) (int, http.Header, error) {
	err := d.r.await(ctx, func() bool { return d.r.open > 0 || d.r.ended })
	if err != nil {
		return 0, nil, err
	}
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	return d.r.status, d.r.sent, nil
}

// Next waits for bytes of the body, and returns all that are there; they must not be changed.
// Calling Next releases the slice returned before. More says that the bytes should be flushed:
// others may follow later, or the answer broke off here. The error is io.EOF at the end of a
// complete answer, io.ErrUnexpectedEOF at the end of one that broke off, or the cause of ctx's
// end.
func (d *Reader) Next(ctx context.Context) ([]byte, bool, error) {
	r := d.r
	d.release()
	if err := r.await(ctx, func() bool { return d.at < r.open || r.ended }); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case d.at < r.open:
		p := r.body[d.at-r.base : r.open-r.base : r.open-r.base]
		d.given = r.open
		return p, !r.ended || !r.whole, nil
	case r.whole:
		return nil, false, io.EOF
	}
	return nil, false, io.ErrUnexpectedEOF
}

// release tells a waiting writer that the reader has finished with what Next returned.
func (d *Reader) release() {
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	d.at = d.given
	if d.r.lossy {
		d.r.wake()
	}
}

// Close ends the reading. Further calls do nothing.
func (d *Reader) Close() {
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	delete(d.r.readers, d)
	d.r.wake()
	d.r.settle()
}

// await returns when a condition on the fields holds, or with the cause of ctx's end.
func (r *Recording) await(ctx context.Context, condition func() bool) error {
	for {
		r.mu.Lock()
		if condition() {
			r.mu.Unlock()
			return nil
		}
		changed := r.change()
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
