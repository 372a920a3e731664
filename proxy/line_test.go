package proxy

import (
	"context"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAWaitInVainTellsWhenToComeBack has nothing known of the upstream but that its
// connections do not come about: four try, and the others wait for word of them.
func TestAWaitInVainTellsWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, nil)
		hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		g.ways["upstream.test:80"] = hang
		var wg sync.WaitGroup
		var mu sync.Mutex
		told := map[string]int{}
		for i := range 10 {
			wg.Go(func() {
				r := g.request(http.MethodPost, "/v1/chat/completions", chatBody)
				r.Header.Set("X-Stainless-Timeout", "20")
				if i >= 4 {
					time.Sleep(time.Millisecond) // the bubble's clock
					r.Header.Set("X-Stainless-Timeout", "2")
				}
				resp, body := g.do(r)
				mu.Lock()
				defer mu.Unlock()
				told[errorCode(t, body)+" "+resp.Header.Get("Retry-After")]++
			})
		}
		wg.Wait()
		if want := map[string]int{"local_rate_limit 1": 6, "upstream_unreachable ": 4}; !maps.Equal(told, want) {
			t.Errorf("got %v, want %v", told, want)
		}
	})
}
