package proxy

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// limitLines are the lines of a scrape about limits.
func (g *rig) limitLines() []string {
	var lines []string
	for _, line := range strings.Split(g.metricsText(), "\n") {
		if strings.HasPrefix(line, "outrigger_limit") || strings.HasPrefix(line, "outrigger_queue_depth") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestMetricsShowLimitsHowTheyAreKnownAndPauses has an upstream that tells its limit
// by the second, with nonsense beside it, and then asks for 30 s of silence.
func TestMetricsShowLimitsHowTheyAreKnownAndPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, call int) {
			h := w.Header()
			if call == 2 {
				h.Set("Retry-After", "30")
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, `{"error":{"message":"Slow down, concurrency limit","code":"rate_limit_exceeded","type":"concurrency"}}`)
				return
			}
			h.Set("X-Ratelimit-Limit-Requests-Second", "10")
			h.Set("X-Ratelimit-Remaining-Requests-Second", "4")
			h.Set("X-Ratelimit-Limit-Tokens", "-1")
			_, _ = io.WriteString(w, `{"object":"chat.completion"}`)
		})
		g.chat()
		synctest.Wait()
		want := []string{
			`outrigger_limit{dimension="requests",model="gpt-4o-mini",upstream="openai"} 600`,
			`outrigger_limit_ignored_total{upstream="openai",what="header"} 1`,
			`outrigger_limit_ignored_total{upstream="openai",what="hint"} 0`,
			`outrigger_limit_ignored_total{upstream="openai",what="text"} 0`,
			`outrigger_limit_pause_seconds{model="gpt-4o-mini",upstream="openai"} 0`,
			`outrigger_limit_remaining{dimension="requests",model="gpt-4o-mini",upstream="openai"} 4`,
			`outrigger_limit_shared{upstream="openai"} 0`,
			`outrigger_limit_source{dimension="requests",model="gpt-4o-mini",source="header",upstream="openai"} 1`,
			`outrigger_queue_depth{priority="high",upstream="openai"} 0`,
			`outrigger_queue_depth{priority="low",upstream="openai"} 0`,
			`outrigger_queue_depth{priority="normal",upstream="openai"} 0`,
		}
		if got := g.limitLines(); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		done := make(chan struct{})
		go func() {
			g.chat()
			close(done)
		}()
		time.Sleep(10 * time.Second) // the bubble's clock
		want[4] = `outrigger_limit_pause_seconds{model="gpt-4o-mini",upstream="openai"} 20`
		want[10] = `outrigger_queue_depth{priority="normal",upstream="openai"} 1`
		if got := g.limitLines(); got[4] != want[4] || got[10] != want[10] {
			t.Errorf("got\n%s\n%s\nwant\n%s\n%s", got[4], got[10], want[4], want[10])
		}
		<-done
	})
}
