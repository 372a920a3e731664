package proxy

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func TestTurnAway_RefusesThoseWhoWaitForLongerThanTheDrain(t *testing.T) {
	tooMany := `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`
	for name, tt := range map[string]struct {
		upstream script
		edit     func(*settings.Config)
		before   int // calls that go first
	}{
		"the rate limit":                 {fine, func(c *settings.Config) { c.Limit.RPM = 1 }, 1},
		"a wait that the upstream named": {answers(429, tooMany, "Retry-After", "55"), func(*settings.Config) {}, 0},
		"a pause before a retry":         {answers(503, `{"error":{"message":"x"}}`, "Retry-After", "55"), func(c *settings.Config) { c.Retry.Base, c.Retry.Cap = time.Minute, time.Minute }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, tt.edit)
				for range tt.before {
					g.chat()
				}
				start := time.Now()
				code := make(chan int, 1)
				go func() {
					resp, _ := g.chat()
					code <- resp.StatusCode
				}()
				time.Sleep(10 * time.Second)
				g.proxy.Drain()
				g.proxy.TurnAway(time.Now().Add(25 * time.Second))
				got := <-code
				if took := time.Since(start); took != 10*time.Second || got != 503 {
					t.Errorf("%d after %s, want 503 at the start of the drain", got, took)
				}
			})
		})
	}
}

// The false friends: whose turn comes in time is served, and who runs is left alone.
func TestTurnAway_LeavesThoseAloneWhoseTurnComesInTime(t *testing.T) {
	for name, tt := range map[string]struct {
		upstream script
		edit     func(*settings.Config)
		before   int
	}{
		"the rate limit": {fine, func(c *settings.Config) { c.Limit.RPM = 2 }, 1},
		"a pause before a retry": {func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				answers(503, `{"error":{"message":"x"}}`, "Retry-After", "20")(w, r, n)
				return
			}
			fine(w, r, n)
		}, func(*settings.Config) {}, 0},
		"a slow answer": {func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(time.Minute)
			fine(w, r, n)
		}, func(*settings.Config) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, tt.edit)
				for range tt.before {
					g.chat()
				}
				code := make(chan int, 1)
				go func() {
					resp, _ := g.chat()
					code <- resp.StatusCode
				}()
				time.Sleep(10 * time.Second)
				g.proxy.Drain()
				g.proxy.TurnAway(time.Now().Add(25 * time.Second))
				if got := <-code; got != 200 {
					t.Errorf("got %d, want the answer", got)
				}
			})
		})
	}
}

func TestTurnAway_RefusesThoseBehindCallsThatTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(20 * time.Second)
			fine(w, r, n)
		}, func(c *settings.Config) { c.MaxInflight = 1 })
		for range 10 {
			g.chat() // how long they take is known then
		}
		start := time.Now()
		codes := make(chan int, 6)
		for range cap(codes) {
			go func() {
				resp, _ := g.chat()
				codes <- resp.StatusCode
			}()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		g.proxy.Drain()
		g.proxy.TurnAway(time.Now().Add(25 * time.Second))
		got := map[int]int{}
		for n := range cap(codes) {
			code := <-codes
			got[code]++
			if code == 503 && time.Since(start) > 2*time.Second {
				t.Errorf("the %dth was refused after %s", n, time.Since(start))
			}
		}
		if got[200]+got[503] != cap(codes) || got[503] < 3 {
			t.Errorf("got %v", got)
		}
	})
}
