package proxy

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A prompt of a few letters rounds to no token. A refusal for tokens
// names a wait all the same, and asking again before it ends is of no use.
func TestATinyRequestWaitsWhenTokensHaveRunOut(t *testing.T) {
	const refusal = `{"error":{"message":"Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. ` +
		`Please try again in 2s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}`
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-time.After(time.Millisecond)
			if time.Since(start) >= 2*time.Second {
				_, _ = io.WriteString(w, "{}")
				return
			}
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, refusal)
		})
		resp, _ := g.do(g.request(http.MethodPost, "/v1/responses", `{"model":"m","input":"hi"}`))
		if resp.StatusCode != http.StatusOK || g.calls.Load() > 3 {
			t.Errorf("got %d after %d attempts, want 200 after 2 or 3", resp.StatusCode, g.calls.Load())
		}
	})
}
