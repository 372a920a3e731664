package proxy

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/decode"
	"outrigger/proxy/eventstream"
)

// peek holds the answer's beginning for as long as its outcome is open: an
// error's body, a JSON answer as a whole, a stream up to its first meaningful
// event. All else is committed with its headers.
func (x *exchange) peek(ctx context.Context, a *attempt) {
	resp := a.resp
	if x.method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		resp.Body, a.body = http.NoBody, http.NoBody // over HTTP/2 it is another empty one
	}
	if resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	kind := mediaType(resp.Header)
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		a.held = newHold(resp.Body, x.p.bodies, holdError, nil)
		a.await(holdTime, holdTime)
	case kind == "text/event-stream" && resp.Header.Get("Content-Encoding") == "": // else its events cannot be read
		x.peekStream(a)
	case kind == "application/json" && 0 < resp.ContentLength && resp.ContentLength <= holdInline:
		a.held = readHold(a, x.streamIdle())
	case kind == "application/json":
		a.held = newHold(resp.Body, x.p.bodies, holdAnswer, nil)
		a.await(x.streamIdle(), holdTime)
	default:
		return
	}
	a.body = a.held
	opening, err := a.held.opening()
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		if a.watcher != nil && x.neverBegan(a) {
			a.fail(ctx, io.ErrUnexpectedEOF)
		}
	case resp.StatusCode >= http.StatusBadRequest && errors.Is(context.Cause(ctx), errStreamIdle):
		// The status says what happened; there is only no body to pass on.
	case resp.StatusCode < http.StatusBadRequest || len(opening) == 0:
		a.fail(ctx, err) // it broke off and nothing of it was passed on
	}
}

// await waits for the held answer: silence is how long for its first byte, 0 for as
// long as the request may take, and within how long for the rest.
func (a *attempt) await(silence, within time.Duration) {
	if silence <= 0 {
		a.held.wait(within, a.begun)
		return
	}
	timer := time.AfterFunc(silence, func() { a.cancel(errStreamIdle) })
	defer timer.Stop()
	a.held.wait(within, func() {
		timer.Stop()
		if a.watcher == nil { // a stream has begun with its first event
			a.begun()
		}
	})
}

// neverBegan reports whether a stream that has ended said nothing at all.
func (x *exchange) neverBegan(a *attempt) bool {
	a.missing = a.watcher.End()
	_, began := a.watcher.Meaningful()
	return !began && x.endpoint.Dialect != endpoint.Unknown
}

// peekStream holds a stream up to the end of its first meaningful event.
func (x *exchange) peekStream(a *attempt) {
	watcher := eventstream.New(x.endpoint.Dialect)
	src := &watched{ReadCloser: a.resp.Body, watcher: watcher}
	a.watcher = watcher
	a.held = newHold(src, x.p.bodies, holdAnswer, func([]byte, error) bool {
		_, ok := watcher.Meaningful()
		return ok
	})
	a.await(x.streamIdle(), holdStream)
}

// watched shows a watcher every byte that is read, once and in order.
type watched struct {
	io.ReadCloser
	watcher *eventstream.Watcher
}

func (r *watched) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	_, _ = r.watcher.Write(p[:n])
	return n, err
}

// judge classifies the attempt.
func (x *exchange) judge(a *attempt) {
	c := classify.Attempt{
		Failure: x.failureFor(a), Progress: a.reached(), Effect: x.endpoint.Effect, Now: time.Now(), Keyed: x.isKeyed(),
	}
	if a.resp != nil && a.failure == classify.None {
		c.Status, c.Header, c.Progress = a.resp.StatusCode, a.resp.Header, classify.Answered
		x.describe(a, &c)
	}
	a.verdict = classify.Classify(c)
	if a.failure == classify.Timeout && errors.Is(context.Cause(a.ctx), errDeadline) && time.Since(a.progress.quiet()) < impatience {
		a.verdict.Breaker = classify.Ignore // one caller's impatience is not the upstream's failure
	}
	if a.resp != nil && a.verdict.Outcome != classify.OutcomeOK {
		x.conceal(a)
	}
}

// impatience is how long an attempt must have been silent for the end of the
// caller's own deadline to count against the upstream. Whole answers take half a
// minute; a black hole is noticed by those who wait for longer.
const impatience = 30 * time.Second

// describe adds to c what was held of the answer, if it may tell of a failure.
func (x *exchange) describe(a *attempt, c *classify.Attempt) {
	if a.held == nil {
		return
	}
	if a.watcher != nil {
		if event, ok := a.held.failure(a.watcher); ok {
			c.Stream, c.Event, c.Body = true, event.Name, event.Data
		}
		return
	}
	opening, err := a.held.opening()
	if c.Status < http.StatusBadRequest && !errors.Is(err, io.EOF) {
		return // too long to be an error, or a slow success
	}
	if coding := a.resp.Header.Get("Content-Encoding"); coding != "" {
		most := holdError
		if c.Status < http.StatusBadRequest {
			most = holdAnswer // the tokens used stand at the end
		}
		opening, _ = decode.Body(coding, opening, most)
		a.decoded = opening
	}
	if len(opening) > holdError {
		opening = opening[:holdError]
	}
	if c.Status >= http.StatusBadRequest || classify.IsErrorBody(opening) {
		c.Body = opening
	}
}

// failure returns the first meaningful event if it is an error, once the goroutine
// no longer feeds w.
func (h *hold) failure(w *eventstream.Watcher) (eventstream.Event, bool) {
	if h.busy() {
		return eventstream.Event{}, false
	}
	first, meaningful := w.Meaningful()
	failure, failed := w.Error()
	return failure, meaningful && failed && failure.End == first.End
}

// mediaType returns the Content-Type without its parameters.
func mediaType(h http.Header) string {
	value := h.Get("Content-Type")
	switch value {
	case "application/json", "text/event-stream":
		return value
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		return ""
	}
	return kind
}
