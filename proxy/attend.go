package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"outrigger/proxy/recording"
	"outrigger/proxy/store"
)

// attend gives the caller x the answer of flight f, which is launched. An error is
// for x to be told of; nothing was written then.
func (p *Proxy) attend(w http.ResponseWriter, x *exchange, f *flight, first bool) error {
	reader := f.seat
	if !first {
		reader = f.enter()
	}
	if reader == nil {
		return f.shut(x)
	}
	return p.deliver(w, x, f, reader, first)
}

// deliver gives the caller x the answer that reader reads. The caller is counted as
// one that waits for it already.
func (p *Proxy) deliver(w http.ResponseWriter, x *exchange, f *flight, reader *recording.Reader, first bool) error {
	delivered := false
	defer func() { p.depart(x, f, reader, delivered) }()
	err := x.read(w, f, reader, first)
	switch {
	case err == nil:
		delivered = true
		return nil
	case x.record.status == 0: // nothing was written
		return p.gaveUp(x, f, err, first)
	case !errors.Is(err, errCut):
		x.record.outcome = outcomeCanceled
	}
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end an answer that is not whole
}

// gaveUp is what a caller is told that has to go without an answer.
func (p *Proxy) gaveUp(x *exchange, f *flight, err error, first bool) error {
	switch {
	case errors.Is(err, errCut) && first:
		return x.unusable()
	case errors.Is(err, errCut):
		return errAgain
	case f.call.identity.rejoin && errors.Is(err, errDeadline):
		x.record.attempts = f.attempts(x)
		return fail("upstream_timeout", "No answer came in the time that this client allows (%s, %s). The call goes on for %s "+
			"(OUTRIGGER_REJOIN): the client's own retry gets its answer.", attempts(x.record.attempts), round(time.Since(x.start)), p.config.Rejoin).After(x.soon(0))
	}
	return x.inUse(err, f)
}

// errCut says that an answer ended before it was whole.
var errCut = errors.New("the answer is not whole")

// enter begins to read f's answer, or returns nil when its beginning is gone.
func (f *flight) enter() *recording.Reader {
	reader := f.answer.Reader()
	if reader == nil {
		return nil
	}
	f.sit()
	return reader
}

// sit counts one more caller that waits for f or reads.
func (f *flight) sit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside++
	f.apart.in.leave(&f.apart)
	if f.timer != nil {
		f.timer.Stop()
	}
}

// begin notes that the answer is being passed on.
func (f *flight) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = true
}

// shut is for a caller that came too late to read f's answer from its start.
func (f *flight) shut(x *exchange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return errAgain
	}
	e := fail("idempotency_key_in_use", "The call with this Idempotency-Key is still being made, and its answer is too long "+
		"to be given twice. Ask again when it has ended.")
	return x.p.result(x, resultInUse, e)
}

// read writes f's answer to the caller as it comes.
func (x *exchange) read(w http.ResponseWriter, f *flight, reader *recording.Reader, first bool) error {
	ctx := x.ctx
	status, header, err := reader.Header(ctx)
	if errors.Is(err, errDraining) {
		ctx = context.WithoutCancel(ctx) // the call is ended too, and says so best itself
		status, header, err = reader.Header(ctx)
	}
	if err != nil {
		return err
	}
	if status == 0 {
		return errCut
	}
	x.stopTimer()
	x.head(w, f, status, header, first)
	f.begin()
	err = x.pass(ctx, w, reader)
	if errors.Is(err, errDraining) || errors.Is(err, errDeadline) { // the latter came as it was taken away
		return x.pass(context.WithoutCancel(ctx), w, reader)
	}
	return err
}

// pass passes the answer's body on, up to its end or that of ctx.
func (x *exchange) pass(ctx context.Context, w http.ResponseWriter, reader *recording.Reader) error {
	for {
		p, more, err := reader.Next(ctx)
		if gone := x.give(w, p, more); gone != nil {
			return gone
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errCut
		default:
			return err
		}
	}
}

// head writes status and header. Those who did not make the call get Outrigger's own
// headers anew.
func (x *exchange) head(w http.ResponseWriter, f *flight, status int, header http.Header, first bool) {
	h := w.Header()
	for name, values := range header {
		h[name] = values
	}
	x.record.status, x.record.first = status, time.Since(x.start)
	local := header.Get(headerSource) == sourceLocal
	if local {
		x.record.source = sourceLocal
	}
	if !first {
		x.again(h)
	}
	if _, _, _, kept := f.answer.Answer(); !f.call.identity.rejoin && !local && (f.unstored || !kept) {
		h[headerIdempotency] = []string{notStored}
	}
	w.WriteHeader(status)
}

// again makes h the header of an answer that x's own request did not bring about.
func (x *exchange) again(h http.Header) {
	for _, name := range own {
		delete(h, name)
	}
	delete(h, "Set-Cookie") // of the one that the call was made for
	if x.record.source == sourceLocal {
		h["X-Request-Id"] = []string{x.id}
	} else {
		x.record.source = sourceReplay
	}
	x.stamp(h)
	x.share(h, h)
}

// givePiece is how much is written under one deadline for a slow caller.
const givePiece = 256 << 10

// give writes p to the caller, at once if more may come later.
func (x *exchange) give(w http.ResponseWriter, p []byte, more bool) error {
	for len(p) > 0 {
		x.extendWrite()
		n, err := w.Write(p[:min(len(p), givePiece)])
		x.record.bytesOut += int64(n)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	if more {
		_ = http.NewResponseController(w).Flush()
	}
	return nil
}

// replay gives the caller a stored answer.
func (p *Proxy) replay(w http.ResponseWriter, x *exchange, a *store.Answer) {
	_ = p.result(x, resultReplayed, nil)
	x.stopTimer()
	h := w.Header()
	for _, name := range [...]string{"Content-Type", "Date"} {
		h[name] = nil // not to be invented where the answer has none
	}
	for name, values := range a.Header {
		h[name] = values
	}
	x.again(h)
	x.record.status, x.record.first, x.record.outcome = a.Status, time.Since(x.start), outcomeCompleted
	w.WriteHeader(a.Status)
	if x.give(w, a.Body, false) != nil {
		x.record.outcome = outcomeCanceled
	}
}
