package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCallsBesideOneThatIsRefusedAreNotDelayed: whatever one call meets that concerns it alone, its tier or
// its endpoint, 99 of 100 others of the key, and of the model where that is possible, take at most 100 ms
// longer than the upstream.
func TestCallsBesideOneThatIsRefusedAreNotDelayed(t *testing.T) {
	const thought = 50 * time.Millisecond
	odd := strings.Replace(chatBody, `"hi"`, `"odd"`, 1)
	tests := map[string]struct {
		path, body string
		refuse     script
		status     int
		calls      int64 // at most
	}{
		"an entitlement": {
			chatPath, odd, answers(429, `{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}`), 429, 2,
		},
		"flex": {
			chatPath, strings.Replace(odd, "{", `{"service_tier":"flex",`, 1),
			answers(429, `{"error":{"message":"Resource unavailable","type":"resource_unavailable","code":"resource_unavailable"}}`), 429, 9,
		},
		"a false 401": {chatPath, odd, func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				answers(401, deadKey)(w, r, n)
				return
			}
			fine(w, r, n)
		}, 200, 2},
		"a broken endpoint": {"/v1/embeddings", `{"model":"e","input":"odd"}`, answers(500, `{"error":{"message":"boom"}}`), 500, 9},
		"unknown":           {chatPath, odd, answers(429, `{"type":"error","error":{"type":"rate_limit_error","message":"Windows over 200k ride on another carriage."}}`), 429, 40},
		"bare":              {chatPath, odd, answers(429, ``), 429, 40},
		"a page":            {chatPath, odd, answers(429, `<html>no</html>`, "Content-Type", "text/html"), 429, 40},
		"with a short wait": {chatPath, odd, answers(429, bare429, "Retry-After", "1"), 429, 40},
		"with a long wait":  {chatPath, odd, answers(429, bare429, "Retry-After", "20"), 429, 40},
	}
	for name, tt := range tests {
		for every, long := range map[time.Duration]time.Duration{20 * time.Millisecond: 40 * time.Second, time.Second: 3 * time.Minute, 5 * time.Second: 8 * time.Minute} {
			t.Run(fmt.Sprint(name, " beside one each ", every), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var refused atomic.Int64
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("odd")) {
							tt.refuse(w, r, int(refused.Add(1)))
							return
						}
						time.Sleep(thought) // the bubble's clock
						fine(w, r, n)
					}, realBackoff)
					var others sync.WaitGroup
					var mu sync.Mutex
					var took []time.Duration
					over := make(chan told, 1)
					for i := range int(long / every) {
						if i == int(5*time.Second/every) {
							go func() {
								resp, _ := g.do(g.request(http.MethodPost, tt.path, tt.body))
								over <- told{status: resp.StatusCode, source: resp.Header.Get("X-Outrigger-Source")}
							}()
						}
						others.Go(func() {
							got := g.crowd(1, chatBody)[0]
							if got.status != 200 {
								t.Errorf("another was told %d by %s", got.status, got.source)
							}
							mu.Lock()
							defer mu.Unlock()
							took = append(took, got.after-thought)
						})
						time.Sleep(every) // the bubble's clock
					}
					others.Wait()
					slices.Sort(took)
					if p99 := took[len(took)*99/100]; p99 > 100*time.Millisecond {
						t.Errorf("others were delayed by %v, the median by %v", p99, took[len(took)/2])
					}
					if got := <-over; got.status != tt.status || got.source != "upstream" {
						t.Errorf("it was told %d by %s", got.status, got.source)
					}
					if n := refused.Load(); n > tt.calls {
						t.Errorf("%d calls", n)
					}
				})
			})
		}
	}
}
