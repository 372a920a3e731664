package traffic

import (
	"fmt"
	"strings"
	"time"
)

// Run is how a stream runs: its events, and the time between them. They come apart, so
// that each costs the proxy a read, a write and a flush of its own, as tokens do.
type Run struct {
	Events int
	Pace   time.Duration // 0: the second event waits for the upstream's release
}

// Question asks for such a stream with a prompt of that size; the words travel as the user.
func (r Run) Question(prompt int) string {
	return strings.TrimSuffix(Question(prompt), "}") + fmt.Sprintf(`,"stream":true,"stream_options":{"include_usage":true},"user":"%d %d"}`, r.Events, r.Pace)
}

// Stream is what it looks like.
func (r Run) Stream() string { return strings.Repeat(Chunk, r.Events-1) + Last }

// sentence is what the prompts repeat.
const sentence = "An outrigger is the float beside a canoe. "

// Question is a chat completion with a prompt of so many bytes.
func Question(prompt int) string {
	return fmt.Sprintf(`{"model":"gpt-4.1-mini","messages":[{"role":"system","content":"Answer briefly."},`+
		`{"role":"user","content":%q}],"max_completion_tokens":256,"temperature":0.2}`, strings.Repeat(sentence, prompt/len(sentence)))
}

// Reply is what Answer says.
var Reply = strings.Repeat("It keeps the canoe upright. ", 20)

// Answer is the upstream's to a chat without a stream, about 1 KB of JSON.
var Answer = fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"gpt-4.1-mini",`+
	`"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],`+
	`"usage":{"prompt_tokens":400,"completion_tokens":120,"total_tokens":520}}`, Reply)

// The events of a stream: all but the last are Chunk.
const (
	Chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4.1-mini",` +
		`"choices":[{"index":0,"delta":{"content":" upright"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	Last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4.1-mini",` +
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)
