// Package apierror has the errors that Outrigger answers with itself, as values: one table
// of codes with their status and type, for requests and for CONNECT alike.
package apierror

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// retryAfterMax is the largest Retry-After that Outrigger writes. Several SDKs
// sleep through any larger one (openai-go 3.25 to 3.52, openai-node 6.26 to
// 7.4), others stop retrying at all (openai-python from 2.52).
const retryAfterMax = 60 * time.Second

// Error is an answer that Outrigger writes itself, in OpenAI's error shape, and for the Messages
// API in one that is Anthropic's too. Make it with New.
type Error struct {
	Status  int
	Type    string
	Code    Code
	Message string
	// RetryAfter is sent when it is over 0 and at most 60 s.
	RetryAfter time.Duration
	// Later tells that a later try may pass: x-should-retry stays absent while
	// no attempt was made.
	Later bool
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// New returns a new error with code, which must be in the table, and a message that is
// formatted as by fmt.Sprintf.
func New(code Code, format string, args ...any) *Error {
	e := table[code]
	e.Code, e.Message = code, fmt.Sprintf(format, args...)
	return &e
}

// After sets how long the caller is told to wait, and returns e.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// WaitSeconds returns the wait as the value of Retry-After: whole seconds, rounded up; "" for none.
func (e *Error) WaitSeconds() string {
	if e.RetryAfter <= 0 || e.RetryAfter > retryAfterMax {
		return ""
	}
	return strconv.FormatFloat(math.Ceil(e.RetryAfter.Seconds()), 'f', 0, 64)
}

// SetWait sets the headers that tell the caller how long to wait, if there is a wait.
func (e *Error) SetWait(h http.Header) {
	if seconds := e.WaitSeconds(); seconds != "" {
		h.Set("Retry-After", seconds)
		h.Set("Retry-After-Ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
}

// Body returns e as JSON in OpenAI's shape.
func (e *Error) Body() []byte { return encode(e.answer()) }

// MessagesBody returns e as JSON with Anthropic's outer members beside OpenAI's: its SDKs
// read the type of the inner object, and tools of theirs look for the outer one
// (docs.anthropic.com/en/api/errors). RequestID is the id of the request that failed.
func (e *Error) MessagesBody(requestID string) []byte {
	answer := e.answer()
	answer["type"], answer["request_id"] = "error", requestID
	return encode(answer)
}

func (e *Error) answer() map[string]any {
	return map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": nil, "code": e.Code,
	}}
}

// encode encodes strings, which cannot fail.
func encode(answer map[string]any) []byte {
	body, _ := json.Marshal(answer)
	return body
}
