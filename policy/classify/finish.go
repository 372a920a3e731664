package classify

import (
	"bytes"

	"outrigger/internal/jsonscan"
)

// Finish is what a finish_reason or stop_reason says about the choice that carries it.
type Finish uint8

// What a reason says. The zero value is Running.
const (
	// Running is no reason: the choice goes on.
	Running Finish = iota
	// Ended is the end of the choice: whole, cut at a limit, or filtered.
	Ended
	// Aborted is a failure of the upstream: the choice stops where it happened to be.
	Aborted
)

// String returns the finish in lower case, for tests and logs.
func (f Finish) String() string {
	return [...]string{"running", "ended", "aborted"}[min(f, Aborted)]
}

// reasonMax is longer than every known reason. One that is longer names no failure.
const reasonMax = 64

// FinishOf returns what a reason says, in any case. A reason that is not known ends the
// choice, unless it names a failure: new ends are invented more often than new
// failures, and a failure is named as one. It does not allocate.
func FinishOf(reason []byte) Finish {
	if len(reason) > reasonMax {
		return Ended
	}
	var text [reasonMax]byte
	lower := text[:copy(text[:], reason)]
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	if f, ok := finishes[string(lower)]; ok {
		return f
	}
	for _, word := range failures {
		if bytes.Contains(lower, word) {
			return Aborted
		}
	}
	return Ended
}

// finishes are the documented reasons, in lower case. Those that failures would find, or
// would miss, must be here; the others are here so that no new word in failures changes
// what they mean.
var finishes = map[string]Finish{
	"": Running,
	// DashScope's native API writes "null" until the end, Google's enumeration begins with the other.
	"null": Running, "none": Running, "finish_reason_unspecified": Running,

	// OpenAI, API description 2.3.0.
	"stop": Ended, "length": Ended, "tool_calls": Ended, "content_filter": Ended, "function_call": Ended,
	// Anthropic, "Handling stop reasons".
	"end_turn": Ended, "max_tokens": Ended, "stop_sequence": Ended, "tool_use": Ended, "pause_turn": Ended,
	"refusal": Ended, "model_context_window_exceeded": Ended, "compaction": Ended,
	// Mistral, chat completion API: FinishReason.
	"model_length": Ended,
	// Together, and Hugging Face's text-generation-inference: FinishReason.
	"eos": Ended, "eos_token": Ended,
	// Zhipu, chat completion API: finish_reason.
	"sensitive": Ended, "network_error": Aborted,
	// DeepSeek, chat completion API: finish_reason.
	"insufficient_system_resource": Aborted,
	// Ollama, API page: done_reason of requests that load or unload a model.
	"load": Ended, "unload": Ended,
	// Cohere, chat API: finish_reason. The first two are a filter's and the context's end.
	"error_toxic": Ended, "error_limit": Ended, "complete": Ended, "user_cancel": Aborted, "timeout": Aborted,
	// Qianfan, chat API: finish_reason.
	"normal": Ended,
	// Amazon Bedrock, Converse: stopReason.
	"guardrail_intervened": Ended, "content_filtered": Ended, "malformed_model_output": Ended, "malformed_tool_use": Ended,
	// Google, GenerateContentResponse: FinishReason.
	"safety": Ended, "recitation": Ended, "language": Ended, "other": Ended, "blocklist": Ended, "prohibited_content": Ended,
	"spii": Ended, "malformed_function_call": Ended, "image_safety": Ended, "image_prohibited_content": Ended,
	"image_other": Ended, "no_image": Ended, "image_recitation": Ended, "unexpected_tool_call": Ended,
	"too_many_tool_calls": Ended, "missing_thought_signature": Ended, "malformed_response": Ended,
	// vLLM and SGLang, finish reasons of a request (vllm-project/vllm#57082).
	"abort": Aborted, "repetition": Ended,
	// MiMo's API, finish_reason.
	"repetition_truncation": Ended,
	// OpenRouter and Mistral.
	"error": Aborted,
}

// failures are words of which one stands in every reason that names a failure.
var failures = [][]byte{
	[]byte("abort"), []byte("error"), []byte("cancel"), []byte("timeout"), []byte("timed"), []byte("time_out"), []byte("deadline"),
	[]byte("fail"), []byte("exception"), []byte("crash"), []byte("unavailable"), []byte("overload"), []byte("interrupt"),
	[]byte("disconnect"), []byte("connection"), []byte("preempt"), []byte("evict"), []byte("killed"), []byte("shutdown"),
	[]byte("out_of_memory"), []byte("unload"), []byte("system_resource"),
}

// markFinish ends the names of all members that hold a reason: finish_reason,
// Anthropic's stop_reason, Google's finishReason.
var markFinish = []byte(`ason"`)

// mentionsAborted reports whether a reason somewhere in data names a failure.
func mentionsAborted(data []byte) bool {
	for {
		i := bytes.Index(data, markFinish)
		if i < 0 {
			return false
		}
		data = data[i+len(markFinish):]
		value := bytes.TrimLeft(data, " \t\r\n:")
		switch {
		case len(value) == 0:
		case value[0] == '{':
			if aborts(value) {
				return true
			}
		case value[0] == '"':
			if end := bytes.IndexByte(value[1:], '"'); end >= 0 && FinishOf(value[1:1+end]) == Aborted {
				return true
			}
		}
	}
}

// stopFails reports whether an Anthropic message_delta's delta stops for a failure.
func stopFails(delta []byte) bool { return memberSays(delta, "stop_reason", aborts) }

// aborts reports whether a reason names a failure. SGLang's is an object now and then, with
// the reason as its type: {"type":"abort","message":"…"}.
func aborts(value []byte) bool {
	if len(value) > 0 && value[0] == '{' {
		return memberSays(value, "type", func(kind []byte) bool { return FinishOf(jsonscan.Literal(kind)) == Aborted })
	}
	return FinishOf(jsonscan.Literal(value)) == Aborted
}

// statusFails reports whether a Responses object has failed, whatever event ends it.
func statusFails(response []byte) bool {
	return memberSays(response, "status", func(value []byte) bool { return string(jsonscan.Literal(value)) == "failed" })
}

// memberSays reports whether an object has a member of that name of which is holds.
func memberSays(object []byte, name string, is func(value []byte) bool) bool {
	m := jsonscan.MembersOf(object)
	for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
		if string(key) == name && is(value) {
			return true
		}
	}
	return false
}
