package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// apiError is a refusal in the API's own words.
type apiError struct {
	status               int
	kind                 string // the type field
	code, param, message string // code and param "" are null
}

// answer renders the error in the dialect of the endpoint that was called.
func (e *apiError) answer(c *call) answer {
	if c.route.dialect == dialectMessages {
		return jsonAnswer(e.status, object{
			"type", "error",
			"error",
			object{"type", anthropicType(e.status), "message", e.message},
			"request_id", c.requestID(),
		})
	}
	return answer{status: e.status, contentType: "application/json; charset=utf-8", body: e.body()}
}

// body is OpenAI's form, indented as OpenAI indents it.
func (e *apiError) body() []byte {
	fields := struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}{e.message, e.kind, optional(e.param), optional(e.code)}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	if encoder.Encode(object{"error", fields}) != nil {
		return nil // strings always encode
	}
	return out.Bytes()
}

// optional is null for "".
func optional(s string) *string {
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

// openaiError is what OpenAI answers with a status, as far as its messages are known.
func openaiError(status int) *apiError {
	e := &apiError{status: status, kind: "invalid_request_error", message: http.StatusText(status)}
	switch {
	case status == http.StatusTooManyRequests:
		e.kind, e.code, e.message = "requests", "rate_limit_exceeded", "Rate limit reached for requests"
	case status == http.StatusServiceUnavailable:
		e.kind, e.code = "service_unavailable_error", "server_is_overloaded"
		e.message = "Our servers are currently overloaded. Please try again later."
	case status >= http.StatusInternalServerError:
		e.kind = "server_error"
		e.message = "The server had an error processing your request. Sorry about that! You can retry your request, or contact us " +
			"through our help center at help.openai.com if you keep seeing this error."
	}
	return e
}

func invalid(param, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: message}
}

func missing(param string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, kind: "invalid_request_error", code: "missing_required_parameter", param: param,
		message: "Missing required parameter: '" + param + "'.",
	}
}

func notFound(message string) *apiError {
	return &apiError{status: http.StatusNotFound, kind: "invalid_request_error", message: message}
}
