package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	proxycall "outrigger/proxy/call"
	"outrigger/proxy/loop"
	"outrigger/proxy/observe"
	proxywire "outrigger/proxy/wire"
)

// writeError sends e as the whole answer.
func (x *exchange) writeError(w http.ResponseWriter, e *apierror.Error) {
	h := w.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", x.ID)
	e.SetWait(h)
	e = x.withSeal(x.withRepeat(e))
	status := e.Status
	if e.Code == apierror.UpstreamAmbiguous {
		status = policy.UnsureStatus(x.Agent)
	}
	x.Record.Source, x.Record.Status = proxycall.SourceLocal, status
	x.Record.Local, x.Record.ErrorType, x.Record.ErrorCode, x.Record.ErrorMessage = e.Code, e.Type, string(e.Code), e.Message
	if errors.Is(context.Cause(x.Ctx), apierror.ErrDraining) {
		x.Record.Reason = proxycall.ReasonShutdown
	}
	x.Stamp(h)
	x.Share(h, nil)
	if x.suppressesRetry(e) {
		h.Set(proxywire.HeaderShouldRetry, "false")
	}
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") // RFC 9110, section 15.5.6
	}
	if status == http.StatusUpgradeRequired {
		h.Set("Upgrade", "HTTP/1.1") // RFC 9110, section 15.5.22
		h.Set("Connection", "Upgrade")
	}
	body := e.Body()
	if x.Endpoint.Dialect == endpoint.Messages || strings.Contains(x.Path, "/v1/messages") {
		body = e.MessagesBody(x.ID)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if x.Method != http.MethodHead {
		n, _ := w.Write(body)
		x.Record.BytesOut += int64(n)
	}
}

// suppressesRetry reports whether an answer of Outrigger's own tells SDKs to stop.
func (x *exchange) suppressesRetry(e *apierror.Error) bool {
	switch {
	case e.Code == apierror.UpstreamAmbiguous, e.Code == apierror.IdempotencyOutcomeUnknown:
		return true
	case e.Code == apierror.IdempotencyKeyInUse:
		return false // the same key leads to the one answer, however often it is sent
	case x.Config.Retry.ClientRetries == policy.ClientRetriesAllow:
		return false
	case e.Code == apierror.Draining && x.Current == nil:
		return false // nothing is under way, and another instance has retries of its own
	case e.Later && x.Record.Attempts == 0:
		return false
	case x.OutOfTime():
		return false
	}
	return true
}

// withSeal returns e with a word on why the request went to no other upstream, if that is
// for what it encrypted.
func (x *exchange) withSeal(e *apierror.Error) *apierror.Error {
	if !x.Sealed || x.Up == nil {
		return e
	}
	switch e.Code {
	case "circuit_open", "upstream_unreachable", "upstream_broke", "upstream_timeout", "local_rate_limit":
	default:
		return e
	}
	told := *e
	told.Message += " The request has encrypted_content that upstream \"" + x.Up.Config.Name + "\" made and no other can read, so it was sent nowhere else: " +
		"wait for that upstream, or send the request without those items."
	return &told
}

// observe finishes the exchange's record, once, at the true end: the relay has
// returned, or is unwinding because a copy broke (http.ErrAbortHandler). The request
// is in flight until its line is written: a drain waits for that of a WebSocket too,
// whose connection the server does not know any more.
func (p *Proxy) observe(x *exchange) {
	defer p.inflight.Remove(&x.Life)
	x.ExtendWrite()
	x.intake.end()
	x.close()
	x.Recorder.Done(x.event())
}

// event is what observers are told of the request at its end.
func (x *exchange) event() *observe.Event {
	x.ended = observe.Event{
		Call: x.Call, Result: &x.Record, End: time.Now(), Sent: x.Sent, SentDecoded: x.Spliced != "", Redirects: len(x.Hops),
		Sticky: x.Sticky, Sealed: x.Sealed, Repeat: x.Repeat.Mark, Hint: x.pathHint(),
	}
	if x.Up != nil {
		x.ended.Upstream, x.ended.Credential = x.Up.Config.Name, x.PayerLabel()
	}
	return &x.ended
}

// fail answers with err, which is an *Error or the cause of the request's end.
func (x *exchange) fail(w http.ResponseWriter, err error) {
	x.StopTimer()
	var e *apierror.Error
	switch {
	case errors.As(err, &e):
		x.writeError(w, e)
		return
	case errors.Is(err, apierror.ErrDraining):
		x.writeError(w, apierror.New(apierror.Draining, "Outrigger is shutting down and ended this request. Send it again.").After(time.Second))
		return
	case errors.Is(err, apierror.ErrDeadline):
		x.writeError(w, apierror.New(apierror.UpstreamTimeout, "The request's deadline passed after %s and %s. Allow more time (OUTRIGGER_TIMEOUT, "+
			"or the client's own timeout).", x.Tried(), apierror.Round(time.Since(x.Start))))
		return
	case errors.Is(err, loop.ErrBudget) && x.LastLoss != nil:
		x.writeError(w, x.LastLoss)
		return
	case !x.Left():
		x.writeError(w, x.Unusable())
		return
	}
	// The caller is gone. Ending without an answer would be a 200 on the wire.
	x.Record.Outcome = proxycall.OutcomeCanceled
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a request without an answer
}
