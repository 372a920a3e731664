package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// transcript renders an answer for a golden file.
func transcript(r received) string {
	var out strings.Builder
	fmt.Fprintln(&out, r.status)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(r.header[name], ", "))
	}
	fmt.Fprintf(&out, "\n%s", r.body)
	return out.String()
}

func TestAnswersLookLikeTheRealOnes(t *testing.T) {
	speech := `{"model":"tts-1","input":"Hi","voice":"alloy"`
	tests := map[string]struct{ method, path, body string }{
		"chat":                 {"POST", "/v1/chat/completions", chatBody},
		"chat_two_choices":     {"POST", "/v1/chat/completions", `{"model":"gpt-4o","messages":[],"n":2,"max_completion_tokens":2}`},
		"chat_stream":          {"POST", "/v1/chat/completions", streamBody},
		"chat_stream_usage":    {"POST", "/v1/chat/completions", `{"model":"m","messages":[],"n":2,"max_tokens":1,"stream":true,"stream_options":{"include_usage":true}}`},
		"chat_azure":           {"POST", "/openai/deployments/dep-1/chat/completions?api-version=2024-10-21", `{"messages":[],"max_tokens":1}`},
		"completions":          {"POST", "/v1/completions", `{"model":"gpt-3.5-turbo-instruct","prompt":"Hello","max_tokens":2}`},
		"completions_stream":   {"POST", "/v1/completions", `{"model":"gpt-3.5-turbo-instruct","prompt":"Hello","max_tokens":2,"stream":true}`},
		"embeddings":           {"POST", "/v1/embeddings", `{"model":"text-embedding-3-small","input":["a","b","a"],"dimensions":3}`},
		"moderations":          {"POST", "/v1/moderations", `{"input":"Hello"}`},
		"messages":             {"POST", "/v1/messages", `{"model":"claude","messages":[{"role":"user","content":"Hi"}],"max_tokens":2}`},
		"messages_stream":      {"POST", "/v1/messages", `{"model":"claude","messages":[],"max_tokens":2,"stream":true}`},
		"responses":            {"POST", "/v1/responses", `{"model":"gpt-5.1","input":"Hello","metadata":{"k":"v"}}`},
		"responses_incomplete": {"POST", "/v1/responses", `{"model":"gpt-5.1","input":"Hello","max_output_tokens":2}`},
		"responses_stream":     {"POST", "/v1/responses", `{"model":"gpt-5.1","input":"Hello","max_output_tokens":2,"stream":true}`},
		"images":               {"POST", "/v1/images/generations", `{"prompt":"A boat","n":2}`},
		"images_stream":        {"POST", "/v1/images/generations", `{"prompt":"A boat","stream":true,"partial_images":1}`},
		"speech_stream":        {"POST", "/v1/audio/speech", speech + `,"stream_format":"sse","response_format":"mp3"}`},
		"models":               {"GET", "/v1/models", ""},
		"model":                {"GET", "/v1/models/gpt-4o", ""},
		"unknown_model":        {"GET", "/v1/models/gpt-9", ""},
		"unknown_path":         {"GET", "/v1/nothing", ""},
		"not_json":             {"POST", "/v1/chat/completions", `{"model":`},
		"wrong_type":           {"POST", "/v1/chat/completions", `{"model":"m","messages":[],"max_tokens":"many"}`},
		"no_model":             {"POST", "/v1/chat/completions", `{"messages":[]}`},
		"no_messages":          {"POST", "/v1/chat/completions", `{"model":"m"}`},
		"messages_no_limit":    {"POST", "/v1/messages", `{"model":"claude","messages":[]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01, so times are the same each run
				s := New(Config{Seed: 1})
				defer s.Close()
				golden(t, name+".txt", transcript(ask(s, test.method, test.path, test.body)))
			})
		})
	}
}

func TestEveryEventIsJSONAndNoErrorIsEverNull(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	for path, body := range map[string]string{
		"/v1/chat/completions":   streamBody,
		"/v1/completions":        `{"model":"m","prompt":"x","stream":true}`,
		"/v1/responses":          `{"model":"m","input":"x","stream":true}`,
		"/v1/messages":           `{"model":"m","messages":[],"max_tokens":100,"stream":true}`,
		"/v1/images/generations": `{"prompt":"x","stream":true,"partial_images":3}`,
		"/v1/audio/speech":       `{"model":"m","input":"a b c d","voice":"x","stream_format":"sse"}`,
	} {
		got := ask(s, "POST", path, body)
		if got.status != 200 || got.header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
		for _, e := range parseEvents(got.body) {
			if e.data == "[DONE]" {
				continue
			}
			var o map[string]json.RawMessage
			if err := json.Unmarshal([]byte(e.data), &o); err != nil {
				t.Errorf("%s: event %q: %v", path, e.data, err)
			}
			if _, found := o["error"]; found { // a null one kills the Go and Java clients
				t.Errorf("%s: event with an error: %q", path, e.data)
			}
			var kind string
			if e.name != "" && (json.Unmarshal(o["type"], &kind) != nil || kind != e.name) {
				t.Errorf("%s: event %q has type %s", path, e.name, o["type"])
			}
		}
	}
}

// sse is one event of a stream, as a client reads it.
type sse struct{ name, data string }

func parseEvents(stream string) []sse {
	var all []sse
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		var e sse
		for line := range strings.SplitSeq(block, "\n") {
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				e.name = name
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = data
			}
		}
		all = append(all, e)
	}
	return all
}

func TestTheLengthOfAnAnswerIsTheSmallerOfTwo(t *testing.T) {
	tests := map[string]struct {
		tokens, allowed, want int
		finish                string
	}{
		"the usual length":                      {0, 0, 16, "stop"},
		"the request allows fewer":              {0, 3, 3, "length"},
		"the request allows more":               {0, 300, 16, "stop"},
		"configured":                            {5000, 0, 5000, "stop"},
		"chosen by each request, up to so many": {100_000, 4100, 4100, "length"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Tokens: test.tokens})
			defer s.Close()
			body := fmt.Sprintf(`{"model":"m","messages":[],"max_tokens":%d}`, test.allowed)
			var got struct {
				Choices []struct {
					Message      struct{ Content string }
					FinishReason string `json:"finish_reason"`
				}
				Usage struct {
					CompletionTokens int `json:"completion_tokens"`
				}
			}
			if err := json.Unmarshal([]byte(ask(s, "POST", "/v1/chat/completions", body).body), &got); err != nil {
				t.Fatal(err)
			}
			words := len(strings.Fields(got.Choices[0].Message.Content))
			if words != test.want || got.Usage.CompletionTokens != test.want || got.Choices[0].FinishReason != test.finish {
				t.Errorf("%d words, %d counted, %s; want %d, %s", words, got.Usage.CompletionTokens, got.Choices[0].FinishReason, test.want, test.finish)
			}
			stream := strings.Replace(body, "{", `{"stream":true,`, 1)
			text := ""
			for _, e := range parseEvents(ask(s, "POST", "/v1/chat/completions", stream).body) {
				var chunk struct {
					Choices []struct{ Delta struct{ Content string } }
				}
				if json.Unmarshal([]byte(e.data), &chunk) == nil {
					text += chunk.Choices[0].Delta.Content
				}
			}
			if text != got.Choices[0].Message.Content {
				t.Errorf("the stream says %.80q, the whole answer %.80q", text, got.Choices[0].Message.Content)
			}
		})
	}
}

func TestPathsAreUnderstoodWithTheUsualPrefixes(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	for _, prefix := range []string{"/v1", "/openai/v1", "/api/v1", "", "/openai/deployments/gpt-4o"} {
		if got := ask(s, "POST", prefix+"/chat/completions", chatBody); got.status != 200 {
			t.Errorf("%s: %d %s", prefix, got.status, got.body)
		}
	}
	for _, path := range []string{"/v1/chat", "/v1/chat/completions/", "/v1", "/", "//", "/v1//files", "/v1/models/"} {
		if got := ask(s, "POST", path, chatBody); got.status != 404 {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}
