package classify

import (
	"bytes"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
)

// IsError reports whether an event of a stream, by its name and data, is an error in
// any shape known: a truthy top-level "error" (chat), in a list too (Gemini's OpenAI API), the events
// "error" (flat or nested), "response.failed" and "response.error" (Responses, Messages, OpenRouter),
// "event_type":"error" (Gemini), "object":"error" (vLLM up to 0.9), a choice, candidate or message whose reason to end names a
// failure (see FinishOf), or a response whose status is failed. It does not allocate.
func IsError(event string, data []byte) bool {
	switch event {
	case eventError, eventFailed, eventResponseError:
		return true
	}
	if !mentionsError(data) {
		return false
	}
	m := unlisted(data)
	for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
		switch string(key) {
		case "error":
			if jsonscan.Truthy(value) {
				return true
			}
		case "type", "event_type", "object":
			if namesError(jsonscan.Literal(value)) {
				return true
			}
		case "choices", "candidates":
			if choiceFails(value) {
				return true
			}
		case "delta":
			if stopFails(value) {
				return true
			}
		case "response":
			if statusFails(value) {
				return true
			}
		case "base_resp":
			if baseRespFails(value) {
				return true
			}
		}
	}
	return false
}

// IsErrorBody reports whether a JSON body that came with a 2xx tells of a failure: by
// a truthy top-level "error", by MiniMax's base_resp, or by a choice that failed. OpenRouter
// answers so when a provider fails (azrtydxb/Fastllm-proxy#28, BerriAI/litellm#8448). An object that
// is kept at the upstream, such as a failed fine-tuning job, tells of its own error and does
// not count; Classify, which knows the effect, is stricter still. It does not allocate.
func IsErrorBody(json []byte) bool { return bodyFails(json, endpoint.Compute) }

// bodyFails reports whether the body of a 2xx that is no stream tells of a failure.
func bodyFails(body []byte, effect endpoint.Effect) bool {
	return errorBody(body, effect) || (effect != endpoint.Read && choiceFailed(body))
}

// errorBody is IsErrorBody for a known effect: a failed response that is merely read back
// is a successful read.
func errorBody(body []byte, effect endpoint.Effect) bool {
	if !mentionsError(body) {
		return false
	}
	m := unlisted(body)
	failed, kept := false, false
	for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
		switch string(key) {
		case "error":
			failed = failed || jsonscan.Truthy(value) && (effect != endpoint.Read || hasMessage(value))
		case "base_resp":
			failed = failed || baseRespFails(value)
		case "object":
			kept = kept || keptObject(jsonscan.Literal(value), effect)
		}
		// What is read may hold errors of others, as a line of a batch's error file does, or be anybody's: only an answer that is
		// an error and nothing else tells of one.
		kept = kept || effect == endpoint.Read && !besideError[string(key)]
	}
	return failed && !kept
}

// besideError are the members of an answer that is nothing but an error.
var besideError = map[string]bool{
	"error": true, "type": true, "object": true, "code": true, "status": true, "message": true, "request_id": true, "success": true, "base_resp": true,
}

// hasMessage reports whether an error says something.
func hasMessage(value []byte) bool {
	m := jsonscan.MembersOf(value)
	for key, said, ok := m.Next(); ok; key, said, ok = m.Next() {
		if string(key) == "message" && len(jsonscan.Literal(said)) > 0 {
			return m.Object()
		}
	}
	return false
}

// unlisted returns the members of an object, or of the first one in a list.
func unlisted(data []byte) jsonscan.Members {
	m := jsonscan.MembersOf(data)
	if m.Object() {
		return m
	}
	_, head, _ := m.Next()
	return jsonscan.MembersOf(head)
}

// keptObject reports whether an "object" of this kind lives at the upstream and so carries
// its own error. Completions do not live there, and a response only when it is read or canceled.
func keptObject(kind []byte, effect endpoint.Effect) bool {
	switch {
	case len(kind) == 0, string(kind) == "error", string(kind) == "list":
		return false
	case bytes.HasPrefix(kind, []byte("chat.completion")), bytes.HasPrefix(kind, []byte("text_completion")):
		return false
	case string(kind) == "response":
		return effect == endpoint.Read || effect == endpoint.Replace
	}
	return true
}

// choiceFailed reports a completion one of whose choices ended in an error.
func choiceFailed(body []byte) bool {
	if !mentionsError(body) {
		return false
	}
	m := jsonscan.MembersOf(body)
	for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
		if string(key) == "choices" {
			return choiceFails(value)
		}
	}
	return false
}

// choiceFails reports whether any of the choices has a finish_reason that means a failure.
func choiceFails(choices []byte) bool {
	list := jsonscan.MembersOf(choices)
	for _, choice, ok := list.Next(); ok; _, choice, ok = list.Next() {
		if memberSays(choice, "finish_reason", aborts) || memberSays(choice, "finishReason", aborts) {
			return true
		}
	}
	return false
}

// baseRespFails reports a base_resp with a status_code other than 0.
func baseRespFails(value []byte) bool {
	m := jsonscan.MembersOf(value)
	for key, code, ok := m.Next(); ok; key, code, ok = m.Next() {
		if string(key) == "status_code" {
			return jsonscan.Truthy(code)
		}
	}
	return false
}

// The events and types that are errors.
const (
	eventError         = "error"
	eventFailed        = "response.failed"
	eventResponseError = "response.error"
)

// outOfResource is the finish_reason of an answer that DeepSeek broke off for lack of capacity.
const outOfResource = "insufficient_system_resource"

// Endings that no error does without, to skip ordinary events fast: of "error" and "response.error",
// "response.failed" and the status "failed", and "base_resp". They begin with bytes that are rare in JSON, which
// makes the search four times as fast as one for the whole words. Quotes inside JSON strings
// are escaped, so an answer that talks about errors does not match.
var (
	markError    = []byte(`rror"`)
	markFailed   = []byte(`failed"`)
	markBaseResp = []byte(`_resp"`)
)

func mentionsError(data []byte) bool {
	return bytes.Contains(data, markError) || bytes.Contains(data, markFailed) ||
		bytes.Contains(data, markBaseResp) || mentionsAborted(data)
}

// namesError reports whether a "type" is that of an error event.
func namesError(kind []byte) bool {
	switch string(kind) {
	case eventError, eventFailed, eventResponseError:
		return true
	}
	return false
}

// Truncated reports whether body is JSON that ends before its outermost object or array does.
// It looks at nothing else: JSON that is wrong otherwise is for its reader to judge, and what
// follows the end too.
func Truncated(body []byte) bool { return jsonscan.Truncated(body) }
