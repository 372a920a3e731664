package reply

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Error is a refusal in the API's own words.
type Error struct {
	Status               int    // of HTTP
	Kind                 string // the type field
	Code, Param, Message string // code and param "" are null
}

// Answer renders the error in the dialect of the endpoint that was called. requestID is
// what Anthropic's form names.
func (e *Error) Answer(d Dialect, requestID string) Answer {
	if d == DialectMessages {
		return JSON(e.Status, Object{
			"type", "error",
			"error",
			Object{"type", anthropicType(e.Status), "message", e.Message},
			"request_id", requestID,
		})
	}
	return Answer{Status: e.Status, ContentType: "application/json; charset=utf-8", Body: e.Body()}
}

// Body is OpenAI's form, indented as OpenAI indents it.
func (e *Error) Body() []byte {
	fields := struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}{e.Message, e.Kind, Optional(e.Param), Optional(e.Code)}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	if encoder.Encode(Object{"error", fields}) != nil {
		return nil // strings always encode
	}
	return out.Bytes()
}

// Optional is null for "".
func Optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// anthropicType is the error type that Anthropic documents for a status.
func anthropicType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case 529:
		return "overloaded_error"
	default:
		if status < http.StatusInternalServerError {
			return "invalid_request_error"
		}
		return "api_error"
	}
}

// OpenAIError is what OpenAI answers with a status, as far as its messages are known.
func OpenAIError(status int) *Error {
	e := &Error{Status: status, Kind: "invalid_request_error", Message: http.StatusText(status)}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.Code, e.Message = "requests", "rate_limit_exceeded", "Rate limit reached for requests"
	case status == http.StatusServiceUnavailable:
		e.Kind, e.Code = "service_unavailable_error", "server_is_overloaded"
		e.Message = "Our servers are currently overloaded. Please try again later."
	case status >= http.StatusInternalServerError:
		e.Kind = "server_error"
		e.Message = "The server had an error processing your request. Sorry about that! You can retry your request, or contact us " +
			"through our help center at help.openai.com if you keep seeing this error."
	}
	return e
}

// Invalid is a 400 about a parameter, "" for the whole request.
func Invalid(param, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Kind: "invalid_request_error", Param: param, Message: message}
}

// Missing is a 400 about a parameter that must be given.
func Missing(param string) *Error {
	return &Error{
		Status: http.StatusBadRequest, Kind: "invalid_request_error", Code: "missing_required_parameter", Param: param,
		Message: "Missing required parameter: '" + param + "'.",
	}
}

// NotFound is a 404.
func NotFound(message string) *Error {
	return &Error{Status: http.StatusNotFound, Kind: "invalid_request_error", Message: message}
}
