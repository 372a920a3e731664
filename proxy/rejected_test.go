package proxy

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// TestLimits_ARejectedCallGivesItsTokensBack makes two calls that each cost most of a minute's
// tokens. Only where the first may have used its own does the second wait.
func TestLimits_ARejectedCallGivesItsTokensBack(t *testing.T) {
	const large = `{"model":"gpt-4o-mini","max_tokens":900,"messages":[{"role":"user","content":"hi"}]}`
	rejected := `{"error":{"message":"Unsupported parameter.","type":"invalid_request_error","code":"unsupported_parameter"}}`
	for status, waits := range map[int]bool{
		400: false, 404: false, 413: false, 415: false, 422: false,
		200: true, 409: true, 499: true, 500: true,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					if call > 1 || status == 200 {
						fine(w, r, call)
						return
					}
					answers(status, rejected)(w, r, call)
				}, func(c *settings.Config) { c.Limit.TPM, c.Retry.Max = 1000, 0 })
				ask := func() int {
					resp, _ := g.do(g.request(http.MethodPost, "/v1/chat/completions", large))
					return resp.StatusCode
				}
				if got := ask(); got != status {
					t.Fatalf("the first call got %d", got)
				}
				start := time.Now()
				if got := ask(); got != 200 {
					t.Fatalf("the second call got %d", got)
				}
				if waited := time.Since(start); (waited > time.Second) != waits {
					t.Errorf("the second call waited %v", waited)
				}
			})
		})
	}
}
