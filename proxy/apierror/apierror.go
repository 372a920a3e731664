package apierror

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Causes with which a request's context is ended by Outrigger itself. A context
// that ends without one of these was ended by the caller's leaving.
var (
	ErrDeadline       = errors.New("the request's deadline passed")
	ErrAttemptTimeout = errors.New("the attempt's timeout passed")
	ErrStreamIdle     = errors.New("the answer fell silent")
	ErrHints          = errors.New("too many 1xx answers")
	ErrSwitched       = errors.New("malformed answer: it switches protocols unasked")
	ErrReplayed       = errors.New("the transport was about to send the request again by itself")
	ErrFinished       = errors.New("the request is finished")
	ErrDraining       = errors.New("a drain ended the request")
	ErrAbandoned      = errors.New("the attempt was given up")
	ErrClosing        = errors.New("the wait would outlast the drain")
)

// RetryAfterMax is the largest Retry-After that Outrigger writes. Several SDKs
// sleep through any larger one (openai-go 3.25 to 3.52, openai-node 6.26 to
// 7.4), others stop retrying at all (openai-python from 2.52).
const RetryAfterMax = 60 * time.Second

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

// CodeExhausted is the code of a lack of descriptors, ports or memory of this machine's.
const CodeExhausted = "resources_exhausted"

// New makes the error with code, which must be in the table.
func New(code, format string, args ...any) *Error {
	e := kinds[code]
	e.Code, e.Message = code, fmt.Sprintf(format, args...)
	return &e
}

// After sets how long the caller is told to wait.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// Body is e as JSON. Anthropic's outer members stand beside OpenAI's where its API was called:
// its SDKs read the type of the inner object, and tools of theirs look for the outer one
// (docs.anthropic.com/en/api/errors).
func (e *Error) Body(id string, anthropic bool) []byte {
	answer := map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": nil, "code": e.Code,
	}}
	if anthropic {
		answer["type"], answer["request_id"] = "error", id
	}
	body, _ := json.Marshal(answer)
	return body
}
