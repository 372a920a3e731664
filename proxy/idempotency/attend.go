package idempotency

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/recording"
	"outrigger/proxy/wire"
)

// attend gives the caller x the answer of flight f, which is launched. An error is
// for x to be told of; nothing was written then.
func (s *Calls) attend(w http.ResponseWriter, x *Caller, f *Flight, first bool) error {
	reader := f.seat
	if !first {
		reader = f.enter()
	}
	if reader == nil {
		return s.shut(x, f)
	}
	return s.deliver(w, x, f, reader, first)
}

// deliver gives the caller x the answer that reader reads. The caller is counted as
// one that waits for it already.
func (s *Calls) deliver(w http.ResponseWriter, x *Caller, f *Flight, reader *recording.Reader, first bool) error {
	delivered := false
	defer func() { s.depart(x, f, reader, delivered) }()
	err := x.read(w, f, reader, first)
	switch {
	case err == nil:
		delivered = true
		return nil
	case x.Record.Status == 0: // nothing was written
		return s.gaveUp(x, f, err, first)
	case !errors.Is(err, errCut):
		x.Record.Outcome = call.OutcomeCanceled
	}
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end an answer that is not whole
}

// gaveUp is what a caller is told that has to go without an answer.
func (s *Calls) gaveUp(x *Caller, f *Flight, err error, first bool) error {
	switch {
	case errors.Is(err, errCut) && first:
		return x.Unusable()
	case errors.Is(err, errCut):
		return errAgain
	case f.rejoin && errors.Is(err, apierror.ErrDeadline):
		x.Record.Attempts = f.attempts(x)
		return apierror.New(apierror.UpstreamTimeout, "No answer came in the time that this client allows (%s, %s). The call goes on for %s "+
			"(OUTRIGGER_REJOIN): the client's own retry gets its answer.", apierror.Attempts(x.Record.Attempts), apierror.Round(time.Since(x.Start)), s.Settings.Rejoin).After(x.soon(0))
	}
	return s.inUse(x, err, f)
}

// errCut says that an answer ended before it was whole.
var errCut = errors.New("the answer is not whole")

// enter begins to read f's answer, or returns nil when its beginning is gone.
func (f *Flight) enter() *recording.Reader {
	reader := f.Answer.Reader()
	if reader == nil {
		return nil
	}
	f.sit()
	return reader
}

// sit counts one more caller that waits for f or reads.
func (f *Flight) sit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside++
	f.apart.in.leave(&f.apart)
	if f.timer != nil {
		f.timer.Stop()
	}
}

// begin notes that the answer is being passed on.
func (f *Flight) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = true
}

// shut is for a caller that came too late to read f's answer from its start.
func (s *Calls) shut(x *Caller, f *Flight) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return errAgain
	}
	e := apierror.New(apierror.IdempotencyKeyInUse, "The call with this Idempotency-Key is still being made, and its answer is too long "+
		"to be given twice. Ask again when it has ended.")
	return s.result(x, resultInUse, e)
}

// read writes f's answer to the caller as it comes.
func (x *Caller) read(w http.ResponseWriter, f *Flight, reader *recording.Reader, first bool) error {
	ctx := x.Ctx
	status, header, err := reader.Header(ctx)
	if errors.Is(err, apierror.ErrDraining) {
		ctx = context.WithoutCancel(ctx) // the call is ended too, and says so best itself
		status, header, err = reader.Header(ctx)
	}
	if err != nil {
		return err
	}
	if status == 0 {
		return errCut
	}
	x.StopTimer()
	x.head(w, f, status, header, first)
	f.begin()
	err = x.pass(ctx, w, reader)
	if errors.Is(err, apierror.ErrDraining) || errors.Is(err, apierror.ErrDeadline) { // the latter came as it was taken away
		return x.pass(context.WithoutCancel(ctx), w, reader)
	}
	return err
}

// pass passes the answer's body on, up to its end or that of ctx.
func (x *Caller) pass(ctx context.Context, w http.ResponseWriter, reader *recording.Reader) error {
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
func (x *Caller) head(w http.ResponseWriter, f *Flight, status int, header http.Header, first bool) {
	h := w.Header()
	for name, values := range header {
		h[name] = values
	}
	x.Record.Status, x.Record.First = status, time.Since(x.Start)
	local := header.Get(wire.HeaderSource) == string(call.SourceLocal)
	if local {
		x.Record.Source = call.SourceLocal
	}
	if !first {
		x.again(h)
	}
	if _, _, _, kept := f.Answer.Answer(); !f.rejoin && !local && (f.unstored || !kept) {
		h[wire.HeaderIdempotency] = []string{notStored}
	}
	w.WriteHeader(status)
}

// again makes h the header of an answer that x's own request did not bring about.
func (x *Caller) again(h http.Header) {
	for _, name := range wire.Own {
		delete(h, name)
	}
	delete(h, "Set-Cookie") // of the one that the call was made for
	if x.Record.Source == call.SourceLocal {
		h["X-Request-Id"] = []string{x.ID}
	} else {
		x.Record.Source = call.SourceReplay
	}
	x.Stamp(h)
	x.Share(h, h)
}

// givePiece is how much is written under one deadline for a slow caller.
const givePiece = 256 << 10

// give writes p to the caller, at once if more may come later.
func (x *Caller) give(w http.ResponseWriter, p []byte, more bool) error {
	for len(p) > 0 {
		x.ExtendWrite()
		n, err := w.Write(p[:min(len(p), givePiece)])
		x.Record.BytesOut += int64(n)
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
func (s *Calls) replay(w http.ResponseWriter, x *Caller, a *claims.Answer) {
	_ = s.result(x, resultReplayed, nil)
	x.StopTimer()
	h := w.Header()
	for _, name := range [...]string{"Content-Type", "Date"} {
		h[name] = nil // not to be invented where the answer has none
	}
	for name, values := range a.Header {
		h[name] = values
	}
	x.again(h)
	x.Record.Status, x.Record.First, x.Record.Outcome = a.Status, time.Since(x.Start), call.OutcomeCompleted
	w.WriteHeader(a.Status)
	if x.give(w, a.Body, false) != nil {
		x.Record.Outcome = call.OutcomeCanceled
	}
}
