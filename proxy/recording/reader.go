package recording

import (
	"context"
	"io"
	"net/http"
)

// Reader reads one Recording from its start. It is for one goroutine, and must be
// closed.
type Reader struct {
	r     *Recording
	at    int64 // what was read and is done with
	given int64 // what Next has returned so far
}

// Reader returns a new reader, or nil when the answer's beginning is not kept.
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

// Header waits until there is something to read, or the end, and returns the answer's
// status and header, which may not be changed: no server sends a header before it has
// something to send behind it. Status is 0 when the answer ended without one. The error is the cause of ctx's end.
func (d *Reader) Header(ctx context.Context) (int, http.Header, error) {
	err := d.r.await(ctx, func() bool { return d.r.open > 0 || d.r.ended })
	if err != nil {
		return 0, nil, err
	}
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	return d.r.status, d.r.sent, nil
}

// Next waits for the next bytes of the body and returns all that are there; they may
// not be changed. More says that these want flushing: others may follow
// later, or the answer broke off here; the call says that those returned before are done with. The error is io.EOF at the end of a whole answer, io.ErrUnexpectedEOF at
// that of one that broke off, or the cause of ctx's end.
func (d *Reader) Next(ctx context.Context) ([]byte, bool, error) {
	r := d.r
	d.take()
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

// take tells a writer that waits that what Next returned last is done with.
func (d *Reader) take() {
	d.r.mu.Lock()
	defer d.r.mu.Unlock()
	d.at = d.given
	if d.r.lossy {
		d.r.wake()
	}
}

// Close ends the reading. Calls after the first do nothing.
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
