package proxy

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestALongWaitThatIsProvenIsToldToThoseThatComeAfter: at once, with one call a minute that tries.
func TestALongWaitThatIsProvenIsToldToThoseThatComeAfter(t *testing.T) {
	const bounded, unbounded = `{"model":"m","max_tokens":500,"messages":[{"role":"user","content":"hi"}]}`, `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	for name, refusal := range map[string]struct{ body, after string }{
		"GitHub Models, a day's requests": {
			`{"error":{"code":"RateLimitReached","message":"Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 66552 seconds before retrying.","details":"Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 66552 seconds before retrying."}}`, "66552",
		},
		"Groq, a day's tokens": {
			`{"error":{"message":"Rate limit reached for model ` + "`m`" + ` in organization ` + "`o`" + ` service tier ` + "`on_demand`" + ` on tokens per day (TPD): Limit 100000, Used 99999, Requested 518. Please try again in 7m26.688s. Need more tokens? Upgrade to Dev Tier","type":"tokens","code":"rate_limit_exceeded"}}`, "447",
		},
		"an hour's requests": {
			`{"error":{"message":"Rate limit reached for m in organization o on requests per hour: Limit 100, Used 100, Requested 3. Please try again in 1m48s.","type":"requests"}}`, "108",
		},
	} {
		for what, body := range map[string]string{"bounded": bounded, "unbounded": unbounded} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mended atomic.Bool
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if mended.Load() {
							fine(w, r, n)
							return
						}
						answers(429, refusal.body, "Retry-After", refusal.after)(w, r, n)
					}, realBackoff)
					if got := g.crowd(1, body)[0]; got.status != 429 || got.body != refusal.body || got.after > time.Second {
						t.Fatalf("the first was told %d %s after %v", got.status, got.body, got.after)
					}
					for _, got := range g.crowd(5, body) {
						if got.status != 429 || got.source == "upstream" || got.after > time.Second || !strings.Contains(got.body, "used up for another") {
							t.Errorf("one that came after was told %d by %s after %v: %s", got.status, got.source, got.after, got.body)
						}
					}
					if n := g.calls.Load(); n != 1 {
						t.Errorf("%d calls, want 1", n)
					}
					time.Sleep(61 * time.Second)
					mended.Store(true)
					if got := g.crowd(1, body)[0]; got.status != 200 || got.after > time.Second {
						t.Errorf("after a minute, mended: %d by %s after %v", got.status, got.source, got.after)
					}
					for _, got := range g.crowd(5, body) {
						if got.status != 200 || got.after > 2*time.Second {
							t.Errorf("once one has passed: %d by %s after %v", got.status, got.source, got.after)
						}
					}
				})
			})
		}
	}
}
