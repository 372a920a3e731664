package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/endpoint"
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

// retryAfterMax is the largest Retry-After that Outrigger writes. Several SDKs
// sleep through any larger one (openai-go 3.25 to 3.52, openai-node 6.26 to
// 7.4), others stop retrying at all (openai-python from 2.52).
const retryAfterMax = 60 * time.Second

// Error is an answer that Outrigger writes itself, in OpenAI's error shape, and for the Messages
// API in one that is Anthropic's too. See the error table in the README for what each code means.
type Error struct {
	Status  int
	Type    string
	Code    string
	Message string
	// RetryAfter is sent when it is over 0 and at most 60 s.
	RetryAfter time.Duration
	// Later tells that a later try may pass: x-should-retry stays absent while
	// no attempt was made.
	Later bool
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The error table: status and type of each code. What varies, the message and
// the wait, is added where the error is made.
var kinds = map[string]Error{
	"bad_request":                   {Status: http.StatusBadRequest, Type: "invalid_request_error"},
	"client_token_required":         {Status: http.StatusUnauthorized, Type: "authentication_error"},
	"origin_not_allowed":            {Status: http.StatusForbidden, Type: "permission_error"},
	"host_not_allowed":              {Status: http.StatusForbidden, Type: "permission_error"},
	"method_not_allowed":            {Status: http.StatusMethodNotAllowed, Type: "invalid_request_error"},
	"idempotency_key_in_use":        {Status: http.StatusConflict, Type: "conflict_error", Later: true, RetryAfter: time.Second},
	"idempotency_outcome_unknown":   {Status: http.StatusConflict, Type: "conflict_error"},
	"idempotency_key_reused":        {Status: http.StatusUnprocessableEntity, Type: "invalid_request_error"},
	"idempotency_store_unavailable": {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	"request_too_large":             {Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error"},
	"upstream_ambiguous":            {Status: http.StatusFailedDependency, Type: "api_connection_error"}, // see policy.UnsureStatus
	"websocket_refused":             {Status: http.StatusUpgradeRequired, Type: "invalid_request_error"},
	"local_rate_limit":              {Status: http.StatusTooManyRequests, Type: "rate_limit_error", Later: true},
	"upstream_unreachable":          {Status: http.StatusBadGateway, Type: "api_connection_error"},
	"upstream_broke":                {Status: http.StatusBadGateway, Type: "api_connection_error"},
	"circuit_open":                  {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true},
	"spool_full":                    {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	"resources_exhausted":           {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	"draining":                      {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	"upstream_timeout":              {Status: http.StatusGatewayTimeout, Type: "timeout_error"},
}

// codeExhausted is the code of a lack of descriptors, ports or memory of this machine's.
const codeExhausted = "resources_exhausted"

// fail makes the error with code, which must be in the table.
func fail(code, format string, args ...any) *Error {
	e := kinds[code]
	e.Code, e.Message = code, fmt.Sprintf(format, args...)
	return &e
}

// after sets how long the caller is told to wait.
func (e *Error) after(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// write sends e as the whole answer of exchange x.
func (e *Error) write(w http.ResponseWriter, x *exchange) {
	h := w.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", x.id)
	if e.RetryAfter > 0 && e.RetryAfter <= retryAfterMax {
		h.Set("Retry-After", strconv.FormatFloat(math.Ceil(e.RetryAfter.Seconds()), 'f', 0, 64))
		h.Set("Retry-After-Ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	e = x.withSeal(x.withRepeat(e))
	status := e.Status
	if e.Code == "upstream_ambiguous" {
		status = policy.UnsureStatus(x.agent)
	}
	x.record.source, x.record.status = sourceLocal, status
	x.record.errorType, x.record.errorCode, x.record.errorMessage = e.Type, e.Code, e.Message
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
	body := e.body(x)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if x.method != http.MethodHead {
		n, _ := w.Write(body)
		x.record.bytesOut += int64(n)
	}
}

// body is e as JSON. Anthropic's outer members stand beside OpenAI's where its API was called:
// its SDKs read the type of the inner object, and tools of theirs look for the outer one
// (docs.anthropic.com/en/api/errors).
func (e *Error) body(x *exchange) []byte {
	answer := map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": nil, "code": e.Code,
	}}
	if x.endpoint.Dialect == endpoint.Messages || strings.Contains(x.path, "/v1/messages") {
		answer["type"], answer["request_id"] = "error", x.id
	}
	body, _ := json.Marshal(answer)
	return body
}

// suppressesRetry reports whether an answer of Outrigger's own tells SDKs to stop.
func (x *exchange) suppressesRetry(e *Error) bool {
	switch {
	case e.Code == "upstream_ambiguous", e.Code == "idempotency_outcome_unknown":
		return true
	case e.Code == "idempotency_key_in_use":
		return false // the same key leads to the one answer, however often it is sent
	case x.p.config.Retry.ClientRetries == policy.ClientRetriesAllow:
		return false
	case e.Code == "draining" && x.current == nil:
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
