package proxy

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"outrigger/policy"
	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
	proxycall "outrigger/proxy/call"
	proxywire "outrigger/proxy/wire"
)

// writeError sends e as the whole answer.
func (x *exchange) writeError(w http.ResponseWriter, e *apierror.Error) {
	h := w.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", x.ID)
	if e.RetryAfter > 0 && e.RetryAfter <= apierror.RetryAfterMax {
		h.Set("Retry-After", strconv.FormatFloat(math.Ceil(e.RetryAfter.Seconds()), 'f', 0, 64))
		h.Set("Retry-After-Ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	e = x.withSeal(x.withRepeat(e))
	status := e.Status
	if e.Code == "upstream_ambiguous" {
		status = policy.UnsureStatus(x.Agent)
	}
	x.Record.Source, x.Record.Status = proxycall.SourceLocal, status
	x.Record.ErrorType, x.Record.ErrorCode, x.Record.ErrorMessage = e.Type, e.Code, e.Message
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
	body := e.Body(x.ID, x.Endpoint.Dialect == endpoint.Messages || strings.Contains(x.Path, "/v1/messages"))
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
	case e.Code == "upstream_ambiguous", e.Code == "idempotency_outcome_unknown":
		return true
	case e.Code == "idempotency_key_in_use":
		return false // the same key leads to the one answer, however often it is sent
	case x.Config.Retry.ClientRetries == policy.ClientRetriesAllow:
		return false
	case e.Code == "draining" && x.Current == nil:
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
