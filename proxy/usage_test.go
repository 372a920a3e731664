package proxy

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Clients ask for compressed answers, and OpenAI sends them. They pass as they came.
func TestTokensOfEncodedAnswersAreCounted(t *testing.T) {
	plain := `{"choices":[{"message":{"content":"` + strings.Repeat("hello ", 20_000) + `"}}],"usage":{"prompt_tokens":123,"completion_tokens":4567}}`
	for coding, pack := range map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"br":   func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	} {
		t.Run(coding, func(t *testing.T) {
			var packed bytes.Buffer
			w := pack(&packed)
			_, _ = io.WriteString(w, plain)
			_ = w.Close()
			g := newRig(t, answers(200, packed.String(), "Content-Encoding", coding))
			resp, body := g.do(with(g.request(http.MethodPost, "/v1/chat/completions", chatBody), "Accept-Encoding: gzip, br, zstd"))
			if body != packed.String() || resp.Header.Get("Content-Encoding") != coding {
				t.Errorf("got %d bytes of %d with %v", len(body), packed.Len(), resp.Header)
			}
			eventually(t, "the log line", func() bool { return strings.Contains(g.log.String(), `"msg":"request"`) })
			if log := g.log.String(); !strings.Contains(log, `"prompt_tokens":123,"completion_tokens":4567`) {
				t.Errorf("the log says %s", log)
			}
			if text := g.metricsText(); !strings.Contains(text, `outrigger_tokens_total{kind="output",model="gpt-4o-mini",upstream="openai"} 4567`) {
				t.Error("the tokens were not counted")
			}
		})
	}
}
