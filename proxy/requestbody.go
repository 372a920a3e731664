package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/body"
	"outrigger/proxy/pick"
	"outrigger/proxy/spool"
	"outrigger/proxy/sticky"
	proxywire "outrigger/proxy/wire"
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
	x.Affinity = x.Homes.Reads(x.Names, r)
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	src := &x.intake
	*src = intake{ctx: x.Ctx, src: r.Body, w: w, motion: x.Motion, picker: pick.New(r.Header.Get("Content-Type"))}
	if x.Identity.Body != nil {
		src.picker.Copy(x.Identity.Body)
	}
	if x.References != nil && proxywire.MediaType(r.Header) != "multipart/form-data" {
		src.references = x.References
	}
	// When a drain ends, nobody needs the rest of it any more, and its caller is to be told.
	x.Reading(func() { _ = http.NewResponseController(w).SetReadDeadline(time.Now()) })
	body, err := x.Bodies.Read(src, r.ContentLength)
	x.Reading(nil)
	x.Kept, x.Facts = body, src.picker.Facts()
	x.RefreshDeadline()
	if err == nil {
		src.picker.Release()
		src.picker = nil
		src.done()
		x.Size = body.Size()
		if cause := context.Cause(x.Ctx); errors.Is(cause, apierror.ErrDeadline) {
			return cause // it passed while the body came: nothing is asked for any more
		}
		return nil
	}
	return x.bodyError(r, src, err)
}

// bodyError tells a body that cannot be taken from one that can only be passed on.
func (x *exchange) bodyError(r *http.Request, src *intake, err error) error {
	var cut *spool.ReadError
	if cause := context.Cause(x.Ctx); errors.Is(cause, apierror.ErrDraining) {
		return cause // which interrupted the reading
	}
	switch {
	case errors.Is(err, spool.ErrTooLarge):
		return apierror.New(apierror.RequestTooLarge, "The request body is over %s. Raise OUTRIGGER_BODY_MAX to let it pass.", x.Config.Bodies.BodyMax)
	case errors.Is(err, spool.ErrFull):
		return x.passOn(r, src, err)
	case errors.As(err, &cut) && errors.Is(cut.Err, os.ErrDeadlineExceeded):
		return apierror.New(apierror.BadRequest, "The request body came too slowly: less than %d bytes per second after %s.", bodyRate, bodyGrace)
	case errors.As(err, &cut):
		return apierror.New(apierror.BadRequest, "The request body was cut short, or its chunks are malformed.")
	}
	return err
}

// passOn lets a create without a key stream through, sent once, when its body cannot be kept:
// it would hardly ever be repeated anyway. All else is told to come back.
func (x *exchange) passOn(r *http.Request, src *intake, cause error) error {
	if x.isEncoded(r) {
		x.unreadable(errNoRoom)
	}
	src.references = nil // the rest is read while others look at what was found
	// With a key it is to be done once, whatever was sent before: only its whole body
	// tells whether it was.
	if x.Identity.Key != "" || endpoint.Of(x.Method, r.URL.EscapedPath(), x.Facts.Facts).Effect != endpoint.Create {
		if lack := resources.Shortage(cause); lack != "" {
			return apierror.New(apierror.ResourcesExhausted, "The request body could not be kept: %s. Nothing was sent. Send the request again.", lack).After(time.Second)
		}
		return apierror.New(apierror.SpoolFull, "No memory or disk is left to keep the request body "+
			"(OUTRIGGER_MEMORY_MAX, OUTRIGGER_SPOOL_MAX, and the space in OUTRIGGER_SPOOL_DIR). Try again shortly.").After(time.Second)
	}
	// The answer may come before the body's end (golang/go#40747).
	_ = http.NewResponseController(src.w).EnableFullDuplex()
	x.closes = r.ProtoMajor == 1
	src.lent = &lent{}
	x.Once, x.Size = x.Kept.Once(src), r.ContentLength
	return nil
}

// intake reads a caller's body under a deadline that moves with what came, and
// shows it to the picker.
type intake struct {
	ctx    context.Context // of the exchange
	src    io.Reader
	w      http.ResponseWriter
	picker *pick.Picker
	motion *body.Motion // nil when nobody needs it

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
	if errors.Is(context.Cause(i.ctx), apierror.ErrDraining) {
		i.deadline(began) // the drain's deadline may have come before it was set
	}
	n, err := i.src.Read(b)
	now := time.Now()
	i.waited += now.Sub(began)
	i.read += int64(n)
	if n > 0 && i.motion != nil {
		i.motion.Came(now)
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

// unspooledEvery is how often at most the log says why bodies cannot be spooled: a full
// disk fails each of them.
const unspooledEvery = time.Minute

// newUnspooled returns a function that logs why a body could not be spooled, now and then.
func newUnspooled(directory string, log *slog.Logger) func(why error) {
	var mu sync.Mutex
	var told time.Time
	var untold int
	return func(why error) {
		mu.Lock()
		defer mu.Unlock()
		untold++
		now := time.Now()
		if !told.IsZero() && now.Sub(told) < unspooledEvery {
			return
		}
		log.Warn("request bodies cannot be spooled to disk: they are kept in memory while there is room",
			slog.String("error", why.Error()), slog.String("directory", directory), slog.Int("bodies", untold))
		told, untold = now, 0
	}
}
