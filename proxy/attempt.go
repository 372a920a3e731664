package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/eventstream"
)

// attempt is one try at an upstream: what was sent, how far it got, what came back.
type attempt struct {
	number   int
	started  time.Time
	call     *Call
	idle     time.Duration // the longest silence inside an answer; 0 is no bound
	room     room          // for what is held of the answer
	host     attemptHost
	lease    leased
	progress progress

	resp      *http.Response // nil when no answer came
	body      io.ReadCloser  // the answer's, as it comes from the transport or its hold
	beginning                // what is known of the answer before it is passed on
	told      http.Header    // the answer's, without what it merely mirrors of the request's
	failure   classify.Failure
	err       error // the transport's, for the log
	verdict   classify.Verdict

	ctx    context.Context
	cancel context.CancelCauseFunc
	alarm  *alarm // the attempt's timeout; nil when there is none
	end    sync.Once

	http1      bool // made over HTTP/1.1 where the upstream may speak HTTP/2
	redirected bool // it follows a redirect
	crowded    bool // refused for too many calls at once
}

// beginning is what is known of an attempt's answer before it is passed on.
type beginning struct {
	held    *hold                // the answer's beginning, when it was held
	content *content             // tells what a good answer is by its bytes; nil when nobody asks
	watcher *eventstream.Watcher // reads a stream, once it is known to be one; nil for all else
	decoded []byte               // an encoded answer that was held whole, decoded; at most holdAnswer
	lacking bool                 // an encoded stream lacks the end of its last event, without which it is not whole
	missing []byte               // what a stream that ended while it was held lacks of its last event
	resumed resumed              // the answer's body, if it is a stream that can be resumed
}

// resumed is a stream that can be resumed when it is cut.
type resumed interface {
	// count is how many resumes brought something new.
	count() int64
	// advice ends the message about a cut: why the stream was not resumed, and what to do.
	advice() string
}

// attemptHost is what an attempt needs of the run that makes it.
type attemptHost interface {
	// mask hides credentials in what the upstream said.
	mask(message string) string
	// sawPanic is told of a panic of what reads the answer.
	sawPanic(panicked any)
}

// leased is what an attempt was lent for its time.
type leased interface {
	// release takes it back. accepted says that the upstream took the call in.
	release(accepted bool)
}

// send makes one attempt: a fresh request with its body from the start, under
// its own context. On return a.resp or a.failure is set.
func (x *Run) send(out *http.Request, a *attempt) {
	ctx, cancel := context.WithCancelCause(x.ctx)
	a.cancel, a.progress.began = cancel, a.started
	outer := httptrace.ContextClientTrace(out.Context())
	ctx = httptrace.WithClientTrace(ctx, a.progress.trace(outer, x.place, x.place.turn, cancel))
	// A shallow copy: a transport does not change a request's headers
	// (http.RoundTripper), so all attempts share them.
	a.ctx, x.lease.turn = ctx, x.place.turn
	req := x.outbound.WithContext(ctx)
	req.GetBody = nil
	x.sendKey(req)
	req.Body, req.ContentLength = x.sends(a)
	x.bounded(a, cancel)
	defer a.alarm.stop()
	if !a.redirected { // its slots know that it is on its way
		for i := range x.slots {
			x.slots[i].sent(time.Now())
		}
	}
	create := x.endpoint.Effect == endpoint.Create
	a.http1 = x.http1 || x.up.http1.wanted(a.started)
	resp, err := x.up.transport(create || x.stray, a.http1, a.started).RoundTrip(req)
	x.refreshDeadline()
	if err != nil {
		a.fail(ctx, err)
		return
	}
	if err := enter(resp); err != nil {
		_ = resp.Body.Close()
		a.fail(ctx, err)
		return
	}
	if resp.ProtoMajor == 2 && !a.http1 {
		x.up.http2.Store(true)
	}
	a.resp, a.body = resp, resp.Body
	if resp.StatusCode == http.StatusSwitchingProtocols && !x.mayTunnel(resp) {
		a.fail(ctx, errSwitched)
		return
	}
	if x.mayResume() {
		resumable(x.serves(), a, x.outbound, x.credential, x.bodies)
	}
	a.peek(ctx)
}

// begun ends the attempt's timeout: the first byte of an answer is here.
func (a *attempt) begun() { a.alarm.stop() }

// silent ends the attempt: nothing came of its answer for too long.
func (a *attempt) silent() { a.cancel(errStreamIdle) }

// fail records why there is no answer, or no whole one.
func (a *attempt) fail(ctx context.Context, err error) {
	a.err = err
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errAttemptTimeout), errors.Is(cause, errDeadline), errors.Is(cause, errStreamIdle):
		a.failure = classify.Timeout
		if !a.progress.connected.Load() {
			a.failure = classify.Unreachable
		}
	case errors.Is(cause, errReplayed):
		a.failure = classify.Broke
	case cause != nil:
		a.failure = classify.Canceled
	case !a.progress.connected.Load():
		a.failure = classify.Unreachable
		if resources.Shortage(err) != "" {
			a.failure = classify.Starved
		}
	case wasRefused(err), a.resp == nil && http2Code(err) == "HTTP_1_1_REQUIRED":
		a.failure = classify.Refused
	case headersTooLarge(err):
		a.failure = classify.TooLarge
	case malformation(err) != "" && (!a.progress.conn.Load().wasCut() || !mayBeHalf(err)):
		a.failure = classify.Malformed
	default:
		a.failure = classify.Broke
	}
}

// wasRefused reports whether an HTTP/2 server proved that it did not process the
// request: REFUSED_STREAM, or a GOAWAY that names an earlier stream (RFC 9113,
// 8.7). The transport flattens both into text when it cannot rewind the body, and
// a GOAWAY with an error when the stream is the connection's first (net/http,
// h2_bundle.go, shouldRetryRequest and setGoAway); a test pins the words.
func wasRefused(err error) bool {
	s := err.Error()
	if strings.HasPrefix(s, "http2: Transport received GOAWAY from server") {
		return true
	}
	return strings.HasPrefix(s, "http2: Transport: cannot retry err") &&
		(strings.Contains(s, "REFUSED_STREAM") || strings.Contains(s, "GOAWAY"))
}

// headersTooLarge reports whether an answer was given up because of its headers'
// size. net/http has only words for it; a test pins them.
func headersTooLarge(err error) bool {
	s := err.Error()
	return strings.Contains(s, "server response headers exceeded") ||
		strings.Contains(s, "response header list larger than") || errors.Is(err, errHints)
}

// reached says how far the attempt got, for the classification.
func (a *attempt) reached() classify.Progress {
	switch a.failure {
	case classify.Refused:
		return classify.NotSent
	case classify.Timeout: // it had a connection; HTTP/2 tells of the headers only after it wrote them
		if a.progress.sending.unfinished() {
			return classify.NotSent // nobody carries out a part of a request (RFC 9112, section 8)
		}
		return classify.Sent
	case classify.Broke:
		if a.resp == nil && a.progress.sending.unfinished() {
			return classify.NotSent // as above; the transport reads no more of the body when it says that it broke
		}
		return a.progress.reached()
	default:
		return a.progress.reached()
	}
}

// unseen reports whether the upstream has seen nothing of the request, so that it is no
// load to it and counts against no limit. A part of a body is load.
func (a *attempt) unseen() bool {
	return a.resp == nil && a.reached() == classify.NotSent && (a.failure != classify.Broke || !a.progress.written.Load())
}

// finish ends the attempt, once: its context, its body, and what it was lent.
func (a *attempt) finish(cause error) {
	a.end.Do(func() {
		a.progress.over.Store(true)
		if a.cancel != nil {
			a.cancel(cause)
		}
		if a.body != nil {
			_ = a.body.Close()
		}
		if a.lease != nil {
			a.lease.release(a.accepted())
		}
	})
}
