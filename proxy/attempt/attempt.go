package attempt

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"outrigger/internal/resources"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/response"
	"outrigger/proxy/upstream"
)

// Attempt is one try at an upstream: what was sent, how far it got, what came back.
type Attempt struct {
	Of
	Number   int
	Started  time.Time
	Progress Progress

	Resp      *http.Response   // nil when no answer came
	Body      io.ReadCloser    // the answer's, as it comes from the transport or its hold
	beginning                  // what is known of the answer before it is passed on
	Told      http.Header      // the answer's, without what it merely mirrors of the request's
	Failure   classify.Failure // why there is no answer, or no whole one
	Err       error            // the transport's, for the log
	Verdict   classify.Verdict

	bounds

	HTTP1      bool // made over HTTP/1.1 where the upstream may speak HTTP/2
	Redirected bool // it follows a redirect
	Crowded    bool // refused for too many calls at once
}

// Of is what all attempts of one call have in common.
type Of struct {
	Call  *call.Call
	Idle  time.Duration // the longest silence inside an answer; 0 is no bound
	Room  response.Room // for what is held of the answer
	Host  attemptHost
	Lease leased
}

// bounds are what may end an attempt, and does so once.
type bounds struct {
	Ctx    context.Context
	Cancel context.CancelCauseFunc
	Alarm  call.Alarm    // of Within
	Within time.Duration // may pass without a byte of the request moving; 0 is no bound
	end    sync.Once
}

// beginning is what is known of an attempt's answer before it is passed on.
type beginning struct {
	Held    *response.Hold       // the answer's beginning, when it was held
	Content *response.Content    // tells what a good answer is by its bytes; nil when nobody asks
	Watcher *eventstream.Watcher // reads a stream, once it is known to be one; nil for all else
	Decoded []byte               // an encoded answer that was held whole, decoded; at most response.HoldAnswer
	Lacking bool                 // an encoded stream lacks the end of its last event, without which it is not whole
	Missing []byte               // what a stream that ended while it was held lacks of its last event
	Resumed resumed              // the answer's body, if it is a stream that can be resumed

	FirstByte, HeldUntil time.Time // from when until when the answer was held; zero if it was not
}

// resumed is a stream that can be resumed when it is cut.
type resumed interface {
	// Count is how many resumes brought something new.
	Count() int64
	// Advice ends the message about a cut: why the stream was not resumed, and what to do.
	Advice() string
}

// attemptHost is what an attempt needs of the run that makes it.
type attemptHost interface {
	// Mask hides credentials in what the upstream said.
	Mask(message string) string
	// SawPanic is told of a panic of what reads the answer.
	SawPanic(panicked any)
}

// leased is what an attempt was lent for its time.
type leased interface {
	// Release takes it back. accepted says that the upstream took the call in.
	Release(accepted bool)
}

// Begun ends the attempt's timeout: the first byte of an answer is here.
func (a *Attempt) Begun() { a.Alarm.Stop() }

// Due is when the attempt has taken too long, for Alarm.
func (a *Attempt) Due() time.Time { return a.Progress.Quiet().Add(a.Within) }

// Ring ends it.
func (a *Attempt) Ring() { a.Cancel(apierror.ErrAttemptTimeout) }

// Silent ends the attempt: nothing came of its answer for too long.
func (a *Attempt) Silent() { a.Cancel(apierror.ErrStreamIdle) }

// Fail records why there is no answer, or no whole one.
func (a *Attempt) Fail(ctx context.Context, err error) {
	a.Err = err
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, apierror.ErrAttemptTimeout), errors.Is(cause, apierror.ErrDeadline), errors.Is(cause, apierror.ErrStreamIdle):
		a.Failure = classify.Timeout
		if !a.Progress.Connected.Load() {
			a.Failure = classify.Unreachable
		}
	case errors.Is(cause, apierror.ErrReplayed):
		a.Failure = classify.Broke
	case cause != nil:
		a.Failure = classify.Canceled
	case !a.Progress.Connected.Load():
		a.Failure = classify.Unreachable
		if resources.Shortage(err) != "" {
			a.Failure = classify.Starved
		}
	case wasRefused(err), a.Resp == nil && upstream.HTTP2Code(err) == "HTTP_1_1_REQUIRED":
		a.Failure = classify.Refused
	case headersTooLarge(err):
		a.Failure = classify.TooLarge
	case malformation(err) != "" && (!a.Progress.conn.Load().WasCut() || !mayBeHalf(err)):
		a.Failure = classify.Malformed
	default:
		a.Failure = classify.Broke
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
		strings.Contains(s, "response header list larger than") || errors.Is(err, apierror.ErrHints)
}

// Reached says how far the attempt got, for the classification.
func (a *Attempt) Reached() classify.Progress {
	switch a.Failure {
	case classify.Refused:
		return classify.NotSent
	case classify.Timeout: // it had a connection; HTTP/2 tells of the headers only after it wrote them
		if a.Progress.Sending.Unfinished() {
			return classify.NotSent // nobody carries out a part of a request (RFC 9112, section 8)
		}
		return classify.Sent
	case classify.Broke:
		if a.Resp == nil && a.Progress.Sending.Unfinished() {
			return classify.NotSent // as above; the transport reads no more of the body when it says that it broke
		}
		return a.Progress.reached()
	default:
		return a.Progress.reached()
	}
}

// Unseen reports whether the upstream has seen nothing of the request, so that it is no
// load to it and counts against no limit. A part of a body is load.
func (a *Attempt) Unseen() bool {
	return a.Resp == nil && a.Reached() == classify.NotSent && (a.Failure != classify.Broke || !a.Progress.written.Load())
}

// Finish ends the attempt, once: its context, its body, and what it was lent.
func (a *Attempt) Finish(cause error) {
	a.end.Do(func() {
		a.Progress.Over.Store(true)
		if a.Cancel != nil {
			a.Cancel(cause)
		}
		if a.Body != nil {
			_ = a.Body.Close()
		}
		if a.Lease != nil {
			a.Lease.Release(a.Accepted())
		}
	})
}

// IsAway reports whether a's answer is one of a host that serves nothing any more, be it a
// load balancer that has nobody behind it.
func IsAway(a *Attempt) bool {
	if a.Verdict.Outcome == classify.OutcomeLoading {
		return false
	}
	switch status := a.Resp.StatusCode; status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return status >= 520 && status <= 530 && status != 529 // Cloudflare's
	}
}

// statusClientClosed is what nginx tells of callers that left.
const statusClientClosed = 499
