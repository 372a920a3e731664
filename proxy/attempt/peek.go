package attempt

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	"outrigger/proxy/decode"
	"outrigger/proxy/response"
	"outrigger/proxy/wire"
)

// Peek holds the answer's beginning for as long as its outcome is open: an
// error's body, a JSON answer as a whole, a stream up to its first meaningful
// event. All else is committed with its headers.
func (a *Attempt) Peek(ctx context.Context) {
	x, resp := a.Call, a.Resp
	if x.Method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		resp.Body, a.Body = http.NoBody, http.NoBody // over HTTP/2 it is another empty one
	}
	if resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		if resp.Body == http.NoBody && a.owesContent() {
			a.Fail(ctx, ErrEmpty)
		}
		return
	}
	l := a.labels()
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		a.Held = response.NewHold(resp.Body, a.Room, response.HoldError, nil)
		a.Held.Panicked = a.Host.SawPanic
		a.await(response.HoldTime, response.HoldTime, response.HoldTime)
	case l.Kind == wire.TypeJSON && !l.Asked && 0 < resp.ContentLength && resp.ContentLength <= response.HoldInline:
		a.Held = response.ReadHold(resp, a, a.Idle)
		a.lookAt(l)
	case l.Whole, l.Asked:
		a.peekContent(l)
	case l.Encoding != "":
		a.Content = response.NewEncoded(l.Encoding)
		a.Body = &response.Watched{ReadCloser: resp.Body, Content: a.Content}
		return
	default:
		return
	}
	a.Body, a.Watcher = a.Held, a.Content.Events()
	opening, err := a.Held.Opening()
	switch {
	case err == nil, errors.Is(err, io.EOF):
		if wrong := a.wrong(opening, err != nil); wrong != nil {
			a.Fail(ctx, wrong)
		}
	case resp.StatusCode >= http.StatusBadRequest && errors.Is(context.Cause(ctx), apierror.ErrStreamIdle):
		// The status says what happened; there is only no body to pass on.
	case resp.StatusCode < http.StatusBadRequest || len(opening) == 0:
		a.Fail(ctx, err) // it broke off and nothing of it was passed on
	}
}

// await waits for the held answer: silence is how long for its first byte, 0 for as
// long as the request may take, and within how long for the rest, if that is a stream or
// if it is none.
func (a *Attempt) await(silence, stream, within time.Duration) {
	var timer *time.Timer
	if silence > 0 {
		timer = time.AfterFunc(silence, func() { a.Cancel(apierror.ErrStreamIdle) })
		defer timer.Stop()
	}
	a.Held.Wait(func() time.Duration {
		a.FirstByte = time.Now()
		if timer != nil {
			timer.Stop()
		}
		if a.Content.What() < response.KindText {
			return stream // it has begun with its first event
		}
		a.Begun()
		return within
	})
	a.HeldUntil = time.Now()
}

// neverBegan reports whether a stream that has ended said nothing at all.
func (a *Attempt) neverBegan() bool {
	done := a.Watcher.Done()
	a.Missing = a.Watcher.End()
	if a.Content.Encoded() { // clients drop such an event, and it cannot be given its end
		a.Lacking, a.Missing = len(a.Missing) > 0 && !done, nil
	}
	_, began := a.Watcher.Meaningful()
	return !began && a.Call.Endpoint.Dialect != endpoint.Unknown
}

// peekContent holds an event stream up to the end of its first meaningful event, and
// what turns out to be none as a whole, if that is worth it.
func (a *Attempt) peekContent(l response.Labels) {
	c := response.NewContent(l)
	a.Content = c
	a.Held = response.NewHold(&response.Watched{ReadCloser: a.Resp.Body, Content: c}, a.Room, response.HoldAnswer, func([]byte, error) bool {
		if w := c.Events(); w != nil {
			_, ok := w.Meaningful()
			return ok
		}
		return c.What() == response.KindText && !l.Whole || c.What() == response.KindOther && l.Kind != wire.TypeJSON
	})
	within := response.HoldTime
	if l.Kind != wire.TypeJSON {
		within = response.HoldStream
	}
	a.Held.Panicked = a.Host.SawPanic
	a.await(a.Idle, response.HoldStream, within)
}

// Impatience is how long an attempt must have been silent for the end of the
// caller's own deadline to count against the upstream. Whole answers take half a
// minute; a black hole is noticed by those who wait for longer.
const Impatience = 30 * time.Second

// Describe adds to c what was held of the answer, if it may tell of a failure.
func (a *Attempt) Describe(c *classify.Attempt) {
	if a.Held == nil || c.Status < http.StatusBadRequest && a.Call.IsAnybodys() {
		return
	}
	if a.Watcher != nil {
		if event, ok := a.Held.Failure(a.Watcher); ok {
			c.Stream, c.Event, c.Body = true, event.Name, event.Data
			if status := a.statusInside(event.End); status != 0 {
				c.Stream, c.Status = false, status
			}
		}
		return
	}
	opening, err := a.Held.Opening()
	if c.Status < http.StatusBadRequest && !errors.Is(err, io.EOF) {
		return // too long to be an error, or a slow success
	}
	switch {
	case c.Status >= http.StatusBadRequest:
		opening, _ = decode.Content(a.Resp.Header.Get("Content-Encoding"), opening, response.HoldError)
	case a.Decoded != nil:
		opening = a.Decoded
	}
	if len(opening) > response.HoldError {
		opening = opening[:response.HoldError]
	}
	if c.Status >= http.StatusBadRequest || classify.IsErrorBody(opening) {
		c.Body = opening
	}
}
