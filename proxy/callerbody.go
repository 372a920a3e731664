package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/pick"
	"outrigger/proxy/spool"
	"outrigger/proxy/sticky"
)

// How slow a caller may be in sending its body. On the same machine or pod even
// a slow one is far above; below it the sender is broken or means harm.
const (
	bodyGrace = 30 * time.Second // with nothing more than the rate on top
	bodyRate  = 1 << 10          // bytes per second on average, after the grace
)

// readBody reads the request body whole, before any waiting: only then is a
// caller's leaving noticed (net/http reads ahead once the body is at its end),
// and only a kept body can be sent again.
func (x *exchange) readBody(w http.ResponseWriter, r *http.Request) error {
	x.references = x.reads(r)
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	src := &x.intake
	*src = intake{ctx: x.ctx, src: r.Body, w: w, motion: x.motion, picker: pick.New(r.Header.Get("Content-Type"))}
	if x.identity.body != nil {
		src.picker.Copy(x.identity.body)
	}
	if x.references != nil && mediaType(r.Header) != "multipart/form-data" {
		src.references = x.references
	}
	x.setReading(true)
	body, err := x.p.bodies.Read(src, r.ContentLength)
	x.setReading(false)
	x.body, x.facts = body, src.picker.Facts()
	x.refreshDeadline()
	if err == nil {
		src.done()
		x.size = body.Size()
		if cause := context.Cause(x.ctx); errors.Is(cause, errDeadline) {
			return cause // it passed while the body came: nothing is asked for any more
		}
		return nil
	}
	return x.bodyError(r, src, err)
}

// setReading says whether the handler waits for its caller's body.
func (x *exchange) setReading(reading bool) {
	x.p.mu.Lock()
	defer x.p.mu.Unlock()
	x.reading = reading
}

// stopReading ends the reading of a body that still comes: nobody needs it any more, and
// its caller is to be told. Proxy.mu is held, so that the handler has not returned.
func (x *exchange) stopReading() {
	if x.reading {
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now())
	}
}

// bodyError tells a body that cannot be taken from one that can only be passed on.
func (x *exchange) bodyError(r *http.Request, src *intake, err error) error {
	var cut *spool.ReadError
	if cause := context.Cause(x.ctx); errors.Is(cause, errDraining) {
		return cause // which interrupted the reading
	}
	switch {
	case errors.Is(err, spool.ErrTooLarge):
		return fail("request_too_large", "The request body is over %s. Raise OUTRIGGER_BODY_MAX to let it pass.", x.p.config.Bodies.BodyMax)
	case errors.Is(err, spool.ErrFull):
		return x.passOn(r, src, err)
	case errors.As(err, &cut) && errors.Is(cut.Err, os.ErrDeadlineExceeded):
		return fail("bad_request", "The request body came too slowly: less than %d bytes per second after %s.", bodyRate, bodyGrace)
	case errors.As(err, &cut):
		return fail("bad_request", "The request body was cut short, or its chunks are malformed.")
	}
	return err
}

// passOn lets a create without a key stream through, sent once, when its body cannot be kept:
// it would hardly ever be repeated anyway. All else is told to come back.
func (x *exchange) passOn(r *http.Request, src *intake, cause error) error {
	x.record.spoolFull = true
	if x.isEncoded(r) {
		x.unreadable(errNoRoom)
	}
	src.references = nil // the rest is read while others look at what was found
	// With a key it is to be done once, whatever was sent before: only its whole body
	// tells whether it was.
	if x.identity.key != "" || endpoint.Of(x.method, r.URL.EscapedPath(), x.facts.Facts).Effect != endpoint.Create {
		if lack := resources.Shortage(cause); lack != "" {
			return fail(apierror.ResourcesExhausted, "The request body could not be kept: %s. Nothing was sent. Send the request again.", lack).After(time.Second)
		}
		return fail("spool_full", "No memory or disk is left to keep the request body "+
			"(OUTRIGGER_MEMORY_MAX, OUTRIGGER_SPOOL_MAX, and the space in OUTRIGGER_SPOOL_DIR). Try again shortly.").After(time.Second)
	}
	// The answer may come before the body's end (golang/go#40747).
	_ = http.NewResponseController(src.w).EnableFullDuplex()
	x.closes = r.ProtoMajor == 1
	src.lent = &lent{}
	x.once, x.size = x.body.Once(src), r.ContentLength
	return nil
}

// intake reads a caller's body under a deadline that moves with what came, and
// shows it to the picker.
type intake struct {
	ctx    context.Context // of the exchange
	src    io.Reader
	w      http.ResponseWriter
	picker *pick.Picker
	motion *motion // nil when nobody needs it

	references *sticky.Request // nil when nobody needs them
	waited     time.Duration   // for the caller
	read       int64
	set        time.Time

	lent *lent // once a transport reads, and not the handler
}

// lent tells a reader in another goroutine whether the handler still runs.
type lent struct {
	mu   sync.Mutex
	over bool // it has returned: its response writer is not to be touched any more
}

func (i *intake) Read(b []byte) (int, error) {
	began := time.Now()
	// What is left of the caller's time. That which memory and disk take for what it
	// sent is not its own.
	until := began.Add(bodyGrace + time.Duration(i.read/bodyRate)*time.Second - i.waited)
	if until.Sub(i.set).Abs() > time.Second { // not for every read of a long body
		i.set = until
		i.deadline(until)
	}
	if errors.Is(context.Cause(i.ctx), errDraining) {
		i.deadline(began) // stopReading may have come before it was set
	}
	n, err := i.src.Read(b)
	now := time.Now()
	i.waited += now.Sub(began)
	i.read += int64(n)
	if n > 0 && i.motion != nil {
		i.motion.came(now)
	}
	_, _ = i.picker.Write(b[:n])
	if i.references != nil {
		_, _ = i.references.Write(b[:n])
	}
	if errors.Is(err, io.EOF) {
		i.done() // the caller is listened to for its leaving from here on
	}
	return n, err
}

// done takes the deadline away: the connection may stay.
func (i *intake) done() { i.deadline(time.Time{}) }

// deadline bounds what is read of the connection. A transport may still read when the
// request is over: over HTTP/2 that would be a nil pointer in net/http, and over
// HTTP/1.1 the deadline of another request.
func (i *intake) deadline(until time.Time) {
	if i.lent != nil {
		i.lent.mu.Lock()
		defer i.lent.mu.Unlock()
		if i.lent.over {
			return
		}
	}
	_ = http.NewResponseController(i.w).SetReadDeadline(until)
}

// end says that the handler returns.
func (i *intake) end() {
	if i.lent != nil {
		i.lent.mu.Lock()
		defer i.lent.mu.Unlock()
		i.lent.over = true
	}
}
