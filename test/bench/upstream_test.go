package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

const questionSize = 1500 // bytes of prompt, a common size

// run is how a stream runs: its events, and the time between them. They come apart, so
// that each costs the proxy a read, a write and a flush of its own, as tokens do.
type run struct {
	events int
	pace   time.Duration // 0: the second event waits for the upstream's release
}

var (
	short = run{50, 2 * time.Millisecond}
	long  = run{1000, time.Millisecond}
	open  = run{2, 0}
)

// question asks for such a stream; the words travel as the user.
func (r run) question() string {
	return strings.TrimSuffix(question, "}") + fmt.Sprintf(`,"stream":true,"stream_options":{"include_usage":true},"user":"%d %d"}`, r.events, r.pace)
}

// stream is what it looks like.
func (r run) stream() string { return strings.Repeat(chunk, r.events-1) + last }

var (
	prompt   = strings.Repeat("An outrigger is the float beside a canoe. ", questionSize/42)
	question = fmt.Sprintf(`{"model":"gpt-4.1-mini","messages":[{"role":"system","content":"Answer briefly."},`+
		`{"role":"user","content":%q}],"max_completion_tokens":256,"temperature":0.2}`, prompt)

	answer = fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"gpt-4.1-mini",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":400,"completion_tokens":120,"total_tokens":520}}`, strings.Repeat("It keeps the canoe upright. ", 20))
	chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4.1-mini",` +
		`"choices":[{"index":0,"delta":{"content":" upright"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4.1-mini",` +
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

// newUpstream answers every chat at once, with the headers that OpenAI sends, and
// returns its URL and what releases open streams. Its limits are far above the load:
// what is measured is work, not waiting.
func newUpstream(tb testing.TB) (string, context.CancelFunc) {
	tb.Helper()
	held, release := context.WithCancel(context.Background())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h := w.Header()
		h.Set("X-Request-Id", "req_1")
		h.Set("Openai-Processing-Ms", "1")
		h.Set("X-Ratelimit-Limit-Requests", "60000000")
		h.Set("X-Ratelimit-Remaining-Requests", "59999999")
		h.Set("X-Ratelimit-Reset-Requests", "1ms")
		h.Set("X-Ratelimit-Limit-Tokens", "60000000000")
		h.Set("X-Ratelimit-Remaining-Tokens", "59999999000")
		h.Set("X-Ratelimit-Reset-Tokens", "1ms")
		_, words, streams := strings.Cut(string(body), `"user":"`)
		if !streams {
			h.Set("Content-Type", "application/json")
			h.Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = io.WriteString(w, answer)
			return
		}
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		flusher := http.NewResponseController(w)
		send := func(text string) {
			_, _ = io.WriteString(w, text)
			_ = flusher.Flush()
		}
		send(chunk)
		var as run
		_, _ = fmt.Sscan(words, &as.events, (*int64)(&as.pace))
		if as.pace == 0 {
			select {
			case <-held.Done():
				send(last)
			case <-r.Context().Done():
			}
			return
		}
		ticks := time.NewTicker(as.pace)
		defer ticks.Stop()
		for range as.events - 2 {
			<-ticks.C
			send(chunk)
		}
		<-ticks.C
		send(last)
	}))
	tb.Cleanup(server.Close)
	tb.Cleanup(release) // runs first: Close waits for the handlers
	return server.URL, release
}
