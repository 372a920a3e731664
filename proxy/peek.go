package proxy

import (
	"context"
	"errors"
	"io"
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
func (a *attempt) peek(ctx context.Context) {
	x, resp := a.call, a.resp
	if x.method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		resp.Body, a.body = http.NoBody, http.NoBody // over HTTP/2 it is another empty one
	}
	if resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols {
		if resp.Body == http.NoBody && a.owesContent() {
			a.fail(ctx, errEmpty)
		}
		return
	}
	l := a.labels()
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		a.held = newHold(resp.Body, a.room, holdError, nil)
		a.held.panicked = a.host.sawPanic
		a.await(holdTime, holdTime, holdTime)
	case l.kind == typeJSON && !l.asked && 0 < resp.ContentLength && resp.ContentLength <= holdInline:
		a.held = readHold(resp, a, a.idle)
		a.lookAt(l)
	case l.whole, l.asked:
		a.peekContent(l)
	case l.encoding != "":
		a.content = newEncoded(l.encoding)
		a.body = &watched{resp.Body, a.content}
		return
	default:
		return
	}
	a.body, a.watcher = a.held, a.content.events()
	opening, err := a.held.opening()
	switch {
	case err == nil, errors.Is(err, io.EOF):
		if wrong := a.wrong(opening, err != nil); wrong != nil {
			a.fail(ctx, wrong)
		}
	case resp.StatusCode >= http.StatusBadRequest && errors.Is(context.Cause(ctx), errStreamIdle):
		// The status says what happened; there is only no body to pass on.
	case resp.StatusCode < http.StatusBadRequest || len(opening) == 0:
		a.fail(ctx, err) // it broke off and nothing of it was passed on
	}
}

// await waits for the held answer: silence is how long for its first byte, 0 for as
// long as the request may take, and within how long for the rest, if that is a stream or
// if it is none.
func (a *attempt) await(silence, stream, within time.Duration) {
	var timer *time.Timer
	if silence > 0 {
		timer = time.AfterFunc(silence, func() { a.cancel(errStreamIdle) })
		defer timer.Stop()
	}
	a.held.wait(func() time.Duration {
		if timer != nil {
			timer.Stop()
		}
		if a.content.what() < kindText {
			return stream // it has begun with its first event
		}
		a.begun()
		return within
	})
}

// neverBegan reports whether a stream that has ended said nothing at all.
func (a *attempt) neverBegan() bool {
	done := a.watcher.Done()
	a.missing = a.watcher.End()
	if a.content.encoded() { // clients drop such an event, and it cannot be given its end
		a.lacking, a.missing = len(a.missing) > 0 && !done, nil
	}
	_, began := a.watcher.Meaningful()
	return !began && a.call.endpoint.Dialect != endpoint.Unknown
}

// peekContent holds an event stream up to the end of its first meaningful event, and
// what turns out to be none as a whole, if that is worth it.
func (a *attempt) peekContent(l labels) {
	c := newContent(l)
	a.content = c
	a.held = newHold(&watched{a.resp.Body, c}, a.room, holdAnswer, func([]byte, error) bool {
		if w := c.events(); w != nil {
			_, ok := w.Meaningful()
			return ok
		}
		return c.what() == kindText && !l.whole || c.what() == kindOther && l.kind != typeJSON
	})
	within := holdTime
	if l.kind != typeJSON {
		within = holdStream
	}
	a.held.panicked = a.host.sawPanic
	a.await(a.idle, holdStream, within)
}

// judge classifies the attempt.
func (x *Run) judge(a *attempt) {
	c := classify.Attempt{
		Failure: x.failureFor(a), Progress: a.reached(), Effect: x.endpoint.Effect, Now: time.Now(), Keyed: x.isKeyed(),
	}
	if a.resp != nil && a.failure == classify.None {
		a.told = unechoed(a.resp.Header, x.request.Header)
		c.Status, c.Header, c.Progress = a.resp.StatusCode, a.told, classify.Answered
		a.describe(&c)
	}
	a.verdict = x.classified(c)
	if a.failure == classify.Timeout && errors.Is(context.Cause(a.ctx), errDeadline) && time.Since(a.progress.quiet()) < impatience {
		a.verdict.Breaker = classify.Ignore // one caller's impatience is not the upstream's failure
	}
	if errors.Is(a.err, errPage) {
		// As a rule the path is not the API's: that comes again, and says nothing about others.
		a.verdict.Breaker = classify.Ignore
		if a.verdict.Repeat == classify.Backoff {
			a.verdict.Repeat = classify.Once
		}
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
func (a *attempt) describe(c *classify.Attempt) {
	if a.held == nil || c.Status < http.StatusBadRequest && a.call.isAnybodys() {
		return
	}
	if a.watcher != nil {
		if event, ok := a.held.failure(a.watcher); ok {
			c.Stream, c.Event, c.Body = true, event.Name, event.Data
			if status := a.statusInside(event.End); status != 0 {
				c.Stream, c.Status = false, status
			}
		}
		return
	}
	opening, err := a.held.opening()
	if c.Status < http.StatusBadRequest && !errors.Is(err, io.EOF) {
		return // too long to be an error, or a slow success
	}
	switch {
	case c.Status >= http.StatusBadRequest:
		opening, _ = decode.Content(a.resp.Header.Get("Content-Encoding"), opening, holdError)
	case a.decoded != nil:
		opening = a.decoded
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
