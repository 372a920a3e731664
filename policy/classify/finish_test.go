package classify

import (
	"strings"
	"testing"
)

func TestAReasonToEndIsAnEndUnlessItNamesAFailure(t *testing.T) {
	for want, reasons := range map[Finish][]string{
		Running: {"", "null", "NULL", "none", "FINISH_REASON_UNSPECIFIED"},
		Ended: {
			"stop", "length", "tool_calls", "content_filter", "function_call", "STOP", "MAX_TOKENS", "SAFETY", "OTHER", "MALFORMED_FUNCTION_CALL",
			"end_turn", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "eos", "eos_token",
			"model_length", "sensitive", "repetition_truncation", "ERROR_TOXIC", "ERROR_LIMIT", "COMPLETE", "load", "unload", "guardrail_intervened",
			"budget_exhausted", "loop_detected", "userStopped", "stop_string", "语言", strings.Repeat("error", 20),
		},
		Aborted: {
			"abort", "aborted", "ABORT", "error", "ERROR", "cancelled", "canceled", "USER_CANCEL", "timeout", "TIMEOUT", "timed_out",
			"insufficient_system_resource", "network_error", "engine_failure", "engine failed", "engine_dead_error", "server_error", "internal-error",
			"client_disconnected", "connection_lost", "modelUnloaded", "preempted", "worker_crashed", "exception", "unavailable", "overloaded",
			"deadline_exceeded", "interrupted", "out_of_memory", "killed", "evicted",
		},
	} {
		for _, reason := range reasons {
			if got := FinishOf([]byte(reason)); got != want {
				t.Errorf("%q is %s, want %s", reason, got, want)
			}
			if n := testing.AllocsPerRun(10, func() { FinishOf([]byte(reason)) }); n != 0 && len(reason) < 32 {
				t.Errorf("%q: %v allocations", reason, n)
			}
		}
	}
}

func TestAnEventWhoseReasonNamesAFailureIsAnError(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event, data string
		want        bool
	}{
		"vLLM stops":                {"", `{"choices":[{"index":0,"delta":{},"finish_reason":"abort"}]}`, true},
		"SGLang's does":             {"", `{"choices":[{"index":0,"delta":{},"finish_reason":{"type":"abort","message":"Request aborted"}}]}`, true},
		"so, in another order":      {"", `{"choices":[{"finish_reason" : { "status_code":500, "err_type" : null, "type" : "ABORT" }}]}`, true},
		"a message's is an object":  {"message_delta", `{"type":"message_delta","delta":{"stop_reason":{"type":"server_error"}}}`, true},
		"an object that is an end":  {"", `{"choices":[{"finish_reason":{"type":"stop","matched":"abort"}}]}`, false},
		"one with a length":         {"", `{"choices":[{"finish_reason":{"type":"length","length":5}}]}`, false},
		"one without a type":        {"", `{"choices":[{"finish_reason":{"x":{"type":"abort"}}}]}`, false},
		"one that was cut":          {"", `{"choices":[{"finish_reason":{"type":"abo`, false},
		"in the second choice":      {"", `{"choices":[{"finish_reason":"stop"},{"finish_reason" : "cancelled"}]}`, true},
		"a message stops so":        {"message_delta", `{"type":"message_delta","delta":{"stop_reason":"aborted"}}`, true},
		"a candidate does":          {"", `{"candidates":[{"finishReason":"ENGINE_ERROR"}]}`, true},
		"a response is done, badly": {"response.done", `{"type":"response.done","response":{"status":"failed"}}`, true},
		"one is done well":          {"response.done", `{"type":"response.done","response":{"status":"completed"}}`, false},
		"an item failed":            {"", `{"type":"response.output_item.done","item":{"status":"failed"}}`, false},
		"a good end":                {"", `{"choices":[{"finish_reason":"length"}]}`, false},
		"an unknown end":            {"", `{"choices":[{"finish_reason":"loop_detected"}]}`, false},
		"a message ends":            {"message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, false},
		"blocked":                   {"", `{"candidates":[{"finishReason":"SAFETY"}]}`, false},
		"a text about it":           {"", `{"choices":[{"delta":{"content":"\"finish_reason\":\"abort\""}}]}`, false},
		"deeper down":               {"", `{"choices":[{"delta":{"tool":{"finish_reason":"abort"}}}]}`, false},
	} {
		if got := IsError(tt.event, []byte(tt.data)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// An event that says no more than that it was aborted is retried like a server's error.
func TestAnAbortedChoiceIsTheServersFailure(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"abort", "cancelled", "engine_error", "network_error"} {
		v := Classify(Attempt{Status: 200, Stream: true, Body: []byte(`{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`)})
		if v.Outcome != OutcomeFailed || v.Repeat == Never || v.Status < 500 {
			t.Errorf("%s: %+v", reason, v)
		}
	}
}
