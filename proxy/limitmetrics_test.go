package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/status"
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
			`outrigger_queue_depth{upstream="openai"} 0`,
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
		want[8] = `outrigger_queue_depth{upstream="openai"} 1`
		if got := g.limitLines(); got[4] != want[4] || got[8] != want[8] {
			t.Errorf("got\n%s\n%s\nwant\n%s\n%s", got[4], got[8], want[4], want[8])
		}
		<-done
	})
}

func TestCountersOutliveTheirLimiters(t *testing.T) {
	ls := admission.NewLines(limit.Settings{Learn: true})
	now := time.Now()
	pl := enters(ls, admission.Key{Model: "gone"}, now)
	ls.Prove(pl.Line, now)
	pl.Answered(now, limit.Told{Headers: limit.Headers{Ignored: 3}})
	end(pl, now)
	for i := range 20_000 {
		calls(ls, admission.Key{Credential: credentialOf(i), Model: "m"}, now, true)
	}
	if ls.ByKey[admission.Key{Model: "gone"}] != nil {
		t.Fatal("the limiter is still there")
	}
	if got := ls.Each(now, func([]admission.Key, limit.Snapshot, bool) {}); got.IgnoredHeaders != 3 {
		t.Errorf("%d headers were ignored, want the 3 of a limiter that is gone", got.IgnoredHeaders)
	}
}

func TestALimitInMetricsIsByTheMinuteUnlessItIsLong(t *testing.T) {
	for window, want := range map[time.Duration]float64{time.Second: 600, 10 * time.Second: 60, time.Minute: 10, time.Hour: 10, 24 * time.Hour: 10} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			if got := status.PerMinute(limit.Bucket{Limit: 10, Window: window}); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
