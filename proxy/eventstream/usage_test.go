package eventstream

import (
	"fmt"
	"testing"

	"outrigger/policy/endpoint"
	"outrigger/proxy/usage"
)

func TestUsage_OfAStreamIsThatOfTheSameAnswerAsJSON(t *testing.T) {
	type counts struct{ prompt, completion int64 }
	for name, tt := range map[string]struct {
		dialect endpoint.Dialect
		answer  string
		events  []string
		want    counts
	}{
		"chat": {
			endpoint.Chat, `{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}}}`,
			[]string{`{"choices":[{"delta":{"content":"hi"}}],"usage":null}`, `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}}}`},
			counts{9, 4},
		},
		"responses": {
			endpoint.Responses, `{"object":"response","output":[],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":8},"output_tokens":4}}`,
			[]string{`{"type":"response.created","response":{"usage":null}}`, `{"type":"response.completed","response":{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":8},"output_tokens":4}}}`},
			counts{9, 4},
		},
		"Anthropic, all in both events": {
			endpoint.Messages, `{"type":"message","usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":7}}`,
			[]string{
				`{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}`,
				`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":7}}`,
			},
			counts{1110, 7},
		},
		"Anthropic, the caches in the first": {
			endpoint.Messages, `{"type":"message","usage":{"cache_read_input_tokens":1000,"input_tokens":10,"output_tokens":7}}`,
			[]string{
				`{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":1000,"output_tokens":1}}}`,
				`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":10,"output_tokens":7}}`,
			},
			counts{1010, 7},
		},
		"Gemini": {
			endpoint.Gemini, `{"candidates":[],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":30}}`,
			[]string{`{"usageMetadata":{"promptTokenCount":9,"thoughtsTokenCount":12}}`, `{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":30}}`},
			counts{9, 34},
		},
		"a gateway's": {
			endpoint.Chat, `{"usage":{"prompt_tokens":1110,"cache_read_input_tokens":1000,"completion_tokens":7}}`,
			[]string{`{"choices":[],"usage":{"prompt_tokens":1110,"cache_read_input_tokens":1000,"completion_tokens":7}}`},
			counts{1110, 7},
		},
		"decoys": {
			endpoint.Chat, `{"usage":{"prompt_tokens":9,"x":{"completion_tokens":99},"completion_tokens":4},"choices":[{"usage":{"prompt_tokens":99}}],"tier":"usage","metadata":{"usage":{"prompt_tokens":99}}}`,
			[]string{
				`{"usage":{"prompt_tokens":9,"x":{"completion_tokens":99},"completion_tokens":4}}`,
				`{"choices":[{"usage":{"prompt_tokens":99},"delta":{"content":"\"usage\":{\"prompt_tokens\":99}"}}],"tier":"usage","metadata":{"usage":{"prompt_tokens":99}}}`,
				`{"usage":null}`, `{"usage":"x"}`, `{"usage":{"prompt_tokens":`,
			},
			counts{9, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(tt.dialect)
			for _, event := range tt.events {
				fmt.Fprintf(w, "data: %s\n\n", event)
			}
			prompt, completion := w.Usage()
			whole := usage.Of([]byte(tt.answer))
			if got, json := (counts{prompt, completion}), (counts{whole.Prompt(), whole.Completion()}); got != tt.want || json != tt.want {
				t.Errorf("as a stream %v, as JSON %v, want %v", got, json, tt.want)
			}
		})
	}
}
