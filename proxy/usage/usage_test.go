package usage

import (
	"strings"
	"testing"
)

func TestOf_CountsEveryDialect(t *testing.T) {
	for name, tt := range map[string]struct {
		answer             string
		prompt, completion int64
	}{
		"chat":                            {`{"choices":[],"usage":{"prompt_tokens": 8,"completion_tokens":16,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":9}}}`, 8, 16},
		"responses":                       {`{"output":[],"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":1},"output_tokens":4}}`, 3, 4},
		"embeddings":                      {`{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}`, 5, 0},
		"Anthropic":                       {`{"type":"message","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"cache_creation":{"ephemeral_5m_input_tokens":100},"output_tokens":7}}`, 1110, 7},
		"Bedrock":                         {`{"output":{},"usage":{"inputTokens":10,"cacheReadInputTokens":1000,"cacheWriteInputTokens":100,"outputTokens":7,"totalTokens":1117}}`, 1110, 7},
		"Gemini":                          {`{"candidates":[],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":5,"toolUsePromptTokenCount":2,"candidatesTokenCount":4,"thoughtsTokenCount":30,"totalTokenCount":45}}`, 11, 34},
		"Gemini's stream as a list":       {`[{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1}},{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4}}]`, 9, 4},
		"Anthropic in OpenAI's shape":     {`{"usage":{"prompt_tokens":1110,"completion_tokens":7,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000}}`, 1110, 7},
		"both names":                      {`{"usage":{"prompt_tokens":8,"input_tokens":8,"completion_tokens":3,"output_tokens":3}}`, 8, 3},
		"byte order mark and white space": {"\ufeff\n{\"usage\" : { \"prompt_tokens\" : 8 } }", 8, 0},
		"none":                            {`{"data":[]}`, 0, 0},
		"null":                            {`{"usage":null}`, 0, 0},
		"null counts":                     {`{"usage":{"input_tokens":8,"cache_read_input_tokens":null,"output_tokens":null}}`, 8, 0},
		"no counts":                       {`{"usage":{"prompt_tokens":-1,"completion_tokens":99999999999999999999999}}`, 0, 0},
		"fractions":                       {`{"usage":{"prompt_tokens":1.5,"completion_tokens":"7"}}`, 0, 0},
		"cut":                             {`{"usage":{"prompt_tokens":`, 0, 0},
		"no JSON":                         {`"usage":{"prompt_tokens":1}`, 0, 0},
		"twice":                           {`{"usage":{"prompt_tokens":1,"completion_tokens":2},"usage":{"prompt_tokens":3}}`, 3, 2},
		"":                                {``, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := Of([]byte(tt.answer))
			if c.Prompt() != tt.prompt || c.Completion() != tt.completion {
				t.Errorf("got %d and %d, want %d and %d", c.Prompt(), c.Completion(), tt.prompt, tt.completion)
			}
		})
	}
}

// Decoys are members and texts named usage that are not the answer's.
var decoys = []string{
	`"choices":[{"message":{"content":"\"usage\": {\"prompt_tokens\": 99}"}}]`,
	`"content":[{"type":"tool_result","usage":{"input_tokens":99,"output_tokens":99}}]`,
	`"output":[{"arguments":"{\"usage\":{\"input_tokens\":99}}","usage":{"output_tokens":99}}]`,
	`"metadata":{"usage":{"input_tokens":99}}`,
	`"message":{"content":{"usage":{"input_tokens":99}}}`,
	`"billing":"usage"`,
	`"usage_details":{"input_tokens":99}`,
	`"usage":null`,
	`"usage":"free"`,
	`"usage":[{"input_tokens":99}]`,
}

func TestOf_IgnoresDecoys(t *testing.T) {
	const usage = `"usage":{"input_tokens":10,"cache_read_input_tokens":100,"details":{"input_tokens":99},"output_tokens":7}`
	for _, decoy := range decoys {
		for _, answer := range []string{"{" + decoy + "," + usage + "}", "{" + usage + "," + decoy + "}"} {
			if c := Of([]byte(answer)); c.Prompt() != 110 || c.Completion() != 7 {
				t.Errorf("%s: got %d and %d", answer, c.Prompt(), c.Completion())
			}
		}
	}
}

func BenchmarkOf(b *testing.B) {
	const usage = `"usage":{"prompt_tokens":8,"total_tokens":8}}`
	for name, text := range map[string]string{
		"chat:1KiB":       `{"choices":[{"message":{"content":"` + strings.Repeat("so it goes, ", 80) + `"}}],` + usage,
		"chat:1MiB":       `{"choices":[{"message":{"content":"` + strings.Repeat("so it goes, ", 80<<10) + `"}}],` + usage,
		"embeddings:1MiB": `{"data":[` + strings.TrimSuffix(strings.Repeat("-0.012345678,", 80<<10), ",") + `],` + usage,
	} {
		b.Run(name, func(b *testing.B) {
			answer := []byte(text)
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				if c := Of(answer); c.Prompt() != 8 {
					b.Fatal("not found")
				}
			}
		})
	}
}
