package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"outrigger/policy"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
)

// Causes with which a request's context is ended by Outrigger itself. A context
// that ends without one of these was ended by the caller's leaving.
var (
	errDeadline       = errors.New("the request's deadline passed")
	errAttemptTimeout = errors.New("the attempt's timeout passed")
	errStreamIdle     = errors.New("the answer fell silent")
	errHints          = errors.New("too many 1xx answers")
	errSwitched       = errors.New("malformed answer: it switches protocols unasked")
	errReplayed       = errors.New("the transport was about to send the request again by itself")
	errFinished       = errors.New("the request is finished")
	errDraining       = errors.New("a drain ended the request")
	errAbandoned      = errors.New("the attempt was given up")
)

// Error is an answer that Outrigger writes itself; see package apierror.
type Error = apierror.Error

// fail makes the error with code.
func fail(code apierror.Code, format string, args ...any) *Error {
	return apierror.New(code, format, args...)
}

// writeError sends e as the whole answer of exchange x.
func writeError(w http.ResponseWriter, x *exchange, e *Error) {
	h := w.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", x.id)
	e.SetWait(h)
	e = x.withSeal(x.withRepeat(e))
	status := e.Status
	if e.Code == apierror.UpstreamAmbiguous {
		status = policy.UnsureStatus(x.agent)
	}
	x.record.source, x.record.status = sourceLocal, status
	x.record.errorType, x.record.errorCode, x.record.errorMessage = e.Type, string(e.Code), e.Message
	if errors.Is(context.Cause(x.ctx), errDraining) {
		x.record.reason = reasonShutdown
	}
	x.stamp(h)
	x.share(h, nil)
	if x.suppressesRetry(e) {
		h.Set(headerShouldRetry, "false")
	}
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") // RFC 9110, section 15.5.6
	}
	if status == http.StatusUpgradeRequired {
		h.Set("Upgrade", "HTTP/1.1") // RFC 9110, section 15.5.22
		h.Set("Connection", "Upgrade")
	}
	body := e.Body()
	if x.endpoint.Dialect == endpoint.Messages || strings.Contains(x.path, "/v1/messages") {
		body = e.MessagesBody(x.id)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if x.method != http.MethodHead {
		n, _ := w.Write(body)
		x.record.bytesOut += int64(n)
	}
}

// suppressesRetry reports whether an answer of Outrigger's own tells SDKs to stop.
func (x *exchange) suppressesRetry(e *Error) bool {
	switch {
	case e.Code == apierror.UpstreamAmbiguous, e.Code == apierror.IdempotencyOutcomeUnknown:
		return true
	case e.Code == apierror.IdempotencyKeyInUse:
		return false // the same key leads to the one answer, however often it is sent
	case x.p.config.Retry.ClientRetries == policy.ClientRetriesAllow:
		return false
	case e.Code == apierror.Draining && x.current == nil:
		return false // nothing is under way, and another instance has retries of its own
	case e.Later && x.record.attempts == 0:
		return false
	case x.outOfTime():
		return false
	}
	return true
}

// outOfTime reports whether the time that the caller itself announced ended a
// request that may be sent again: its own retries are its choice then.
func (x *exchange) outOfTime() bool {
	return x.announced && !x.isCreate() && (x.late || errors.Is(context.Cause(x.ctx), errDeadline))
}
