package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkRelay is one chat completion through handler, loop and a transport
// that answers at once: what Outrigger itself allocates, the servers apart. The
// comparison with a bare ReverseProxy is test/bench.
func BenchmarkRelay(b *testing.B) {
	answers := map[string]struct{ kind, body string }{
		"kind:unary": {"application/json", `{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`},
		"kind:stream": {"text/event-stream", strings.Repeat(`data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}`+"\n\n", 10) +
			`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"},
	}
	for name, answer := range answers {
		b.Run(name, func(b *testing.B) {
			g := newRig(b, func(w http.ResponseWriter, r *http.Request, _ int) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", answer.kind)
				_, _ = io.WriteString(w, answer.body)
			})
			b.ReportAllocs()
			for b.Loop() {
				resp, _ := g.chat()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.StatusCode)
				}
			}
		})
	}
}
