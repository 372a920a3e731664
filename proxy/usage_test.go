package proxy

import "testing"

func TestUsageIsFoundWhereverItIsToldAndNowhereElse(t *testing.T) {
	tests := map[string]struct {
		answer             string
		prompt, completion int64
	}{
		"chat":                     {`{"choices":[],"usage":{"prompt_tokens": 8,"completion_tokens":16,"total_tokens":24}}`, 8, 16},
		"responses":                {`{"output":[],"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":1},"output_tokens":4}}`, 3, 4},
		"embeddings":               {`{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}`, 5, 0},
		"none":                     {`{"data":[]}`, 0, 0},
		"null":                     {`{"usage":null}`, 0, 0},
		"only said in the content": {`{"choices":[{"message":{"content":"\"usage\": {\"prompt_tokens\": 99}"}}]}`, 0, 0},
		"absurd":                   {`{"usage":{"prompt_tokens":-1,"completion_tokens":99999999999999999999999}}`, 0, 999999999999999},
		"cut":                      {`{"usage":{"prompt_tokens":`, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if p, c := usage([]byte(tt.answer)); p != tt.prompt || c != tt.completion {
				t.Errorf("got %d, %d, want %d, %d", p, c, tt.prompt, tt.completion)
			}
		})
	}
}
