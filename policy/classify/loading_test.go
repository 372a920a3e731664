package classify

import (
	"testing"
	"time"
)

func TestLoading_AModelThatWillBeReadyIsWaitedFor(t *testing.T) {
	for name, a := range map[string]Attempt{
		"llama.cpp":                 answer(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`),
		"llama.cpp, flat":           answer(503, `{"message":"Loading model","type":"unavailable_error","code":503}`),
		"llama.cpp, health":         answer(503, `{"status":"loading model","error":"loading model"}`),
		"llama.cpp, in a stream":    event("", `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`),
		"Hugging Face":              answer(503, `{"error":"Model gpt2 is currently loading","estimated_time":20.0}`),
		"Hugging Face, other words": answer(503, `{"error":"Please wait","estimated_time":7.5}`),
		"a list of errors":          answer(503, `[{"error":"Model gpt2 is currently loading","estimated_time":20.0}]`),
		"Fireworks":                 answer(503, `{"error":{"code":"DEPLOYMENT_SCALING_UP","message":"Deployment is currently scaled to zero and is scaling up. Please retry your request in a few minutes."}}`),
		"Bedrock":                   answer(429, `{"message":"Model is not ready for inference. Wait and try your request again."}`),
		"KServe":                    answer(503, `{"error":"Model with name llama is not ready."}`),
		"text":                      answer(503, `Model is loading, please wait...`),
		"under 500":                 answer(500, `{"error":{"message":"Model is still loading, try again in a minute"}}`),
		"warming up":                answer(503, `{"error":{"message":"The server is warming up"}}`),
		"Ollama":                    answer(503, `{"error":{"message":"llm server loading model","type":"api_error","param":null,"code":null}}`),
		"Ollama, with its status":   answer(503, `{"error":"waiting for server to become available - status: llm server loading model"}`),
		"a worker's weights":        answer(503, `{"detail":"engine: still loading weights"}`),
		"without a verb":            answer(503, `{"message":"Model llama3 loading, please wait"}`),
		"being loaded":              answer(503, `{"error":{"message":"Model 'qwen3:32b' is being loaded into memory"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			v := Classify(a)
			if v.Outcome != OutcomeLoading || v.Repeat != Await || v.Breaker != Ignore || v.Scope != Model {
				t.Errorf("rule %s: %s, %s, breaker %s, scope %s", v.Rule, v.Outcome, v.Repeat, v.Breaker, v.Scope)
			}
		})
	}
}

func TestLoading_OneThatFailedIsNot(t *testing.T) {
	for name, a := range map[string]Attempt{
		"Ollama":           answer(500, `{"error":{"message":"llama-server process has terminated: exit status 1: error loading model: failed to load model from blobs"}}`),
		"Lemonade":         answer(500, `{"error":{"code":"model_load_error","message":"Failed to load model 'Qwen3': llama-server failed to start","type":"model_load_error"}}`),
		"LocalAI":          answer(500, `{"error":{"message":"could not load model: rpc error: code = Unavailable"}}`),
		"a server's error": answer(500, `{"error":{"message":"llm server error loading model"}}`),
		"what ended":       answer(503, `{"error":{"message":"worker loading model terminated"}}`),
		"a page load":      answer(503, `{"error":{"message":"The server had an issue while downloading models for you"}}`),
		"busy":             answer(503, `{"error":{"message":"The server is currently overloaded with other requests"}}`),
		"busy or not":      answer(503, `{"error":{"message":"The server is overloaded or not ready yet.","type":"service_unavailable"}}`),
		"a bad request":    answer(400, `{"error":{"message":"Loading model"}}`),
		"estimate of work": answer(429, `{"error":{"message":"Too many requests"},"estimated_time":3}`),
	} {
		t.Run(name, func(t *testing.T) {
			if v := Classify(a); v.Outcome == OutcomeLoading || v.Repeat == Await {
				t.Errorf("rule %s: %s", v.Rule, v.Outcome)
			}
		})
	}
}

func TestLoading_TheEstimateIsTheWaitWhereNoOtherIsNamed(t *testing.T) {
	const body = `{"error":"Model gpt2 is currently loading","estimated_time":20.5}`
	if v := Classify(answer(503, body)); v.Wait != 20500*time.Millisecond {
		t.Errorf("the estimate: %v", v.Wait)
	}
	if v := Classify(answer(503, body, "Retry-After: 5")); v.Wait != 5*time.Second {
		t.Errorf("Retry-After: %v", v.Wait)
	}
	if v := Classify(answer(500, `{"error":{"message":"x"},"estimated_time":20}`)); v.Wait != 0 {
		t.Errorf("of no loading model: %v", v.Wait)
	}
}
