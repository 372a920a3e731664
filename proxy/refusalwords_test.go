package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// refusesFor answers body under status for a time after the start.
func refusesFor(d time.Duration, status int, body string, headers ...string) script {
	start := time.Now()
	refuse := answers(status, body, headers...)
	return func(w http.ResponseWriter, r *http.Request, n int) {
		_, _ = io.Copy(io.Discard, r.Body)
		if time.Since(start) < d {
			refuse(w, r, n)
			return
		}
		fine(w, r, n)
	}
}

const (
	forever        = 24 * time.Hour
	daily          = `{"message":"Too many tokens per day, please wait before trying again."}`
	neurons        = `{"errors":[{"message":"you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan if you would like to continue usage.","code":4006}],"success":false}`
	tokenLimitPage = `{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit","type":"insufficient_quota","code":"insufficient_quota"}}`
	openaiPage     = `{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.","type":"insufficient_quota","code":"insufficient_quota"}}`
	longContext    = `{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}`
)

// TestRefusalsAreWaitedForAsTheySay: each refusal lasts for a time; who waits as it says is through after it, with few calls.
func TestRefusalsAreWaitedForAsTheySay(t *testing.T) {
	tests := map[string]struct {
		lasts   time.Duration
		status  int
		body    string
		headers []string
		calls   int64 // at most
		after   [2]time.Duration
	}{
		"a reset in parentheses": {4 * time.Second, 429, `{"error":{"message":"The usage limit has been reached (reset after 4s)"}}`, nil, 2, [2]time.Duration{4 * time.Second, 6 * time.Second}},
		"a field in milliseconds": {
			3 * time.Second, 429, `{"error":{"message":"slow","limits":{"cooldown_ms":3000}}}`, nil, 2,
			[2]time.Duration{3 * time.Second, 5 * time.Second},
		},
		"a field of a model that loads": {20 * time.Second, 503, `{"error":"Model is currently loading","estimated_time":20.0}`, nil, 4, [2]time.Duration{20 * time.Second, 22 * time.Second}},
		"RateLimit":                     {20 * time.Second, 429, ``, []string{"RateLimit", `"api";r=0;t=20`, "RateLimit-Policy", `"fixed window";"api";q=500;w=300`}, 2, [2]time.Duration{20 * time.Second, 22 * time.Second}},
		"RateLimit, draft 7":            {10 * time.Second, 429, ``, []string{"RateLimit", `limit=100, remaining=0, reset=10`, "RateLimit-Policy", `100;w=60`}, 2, [2]time.Duration{10 * time.Second, 12 * time.Second}},
		"a page of a throttle":          {3 * time.Second, 429, tokenLimitPage, nil, 8, [2]time.Duration{3 * time.Second, 20 * time.Second}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, refusesFor(tt.lasts, tt.status, tt.body, tt.headers...), realBackoff)
				got := g.crowd(1, chatBody)[0]
				if got.status != 200 || got.after < tt.after[0] || got.after > tt.after[1] || g.calls.Load() > tt.calls {
					t.Errorf("was told %d %q after %v and %d calls", got.status, got.body, got.after, g.calls.Load())
				}
			})
		})
	}
}

// TestRefusalsThatNobodyWaitsForAreToldAtOnce: one call a minute asks again for all, and what is not concerned goes on.
func TestRefusalsThatNobodyWaitsForAreToldAtOnce(t *testing.T) {
	tests := map[string]struct {
		body     string
		remember bool // for those who come later
	}{
		"tokens per day":                {daily, true},
		"a daily allocation":            {neurons, true},
		"requests of today":             {`{"error":{"message":"Today's request quota is exhausted."}}`, true},
		"OpenAI's own page":             {openaiPage, true},
		"an entitlement":                {longContext, false},
		"an entitlement, other words":   {`{"error":{"message":"This model requires the enterprise plan."}}`, false},
		"room for files":                {`{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"FileStorageBytesPerProject","quotaValue":"21474836480"}]}]}}`, false},
		"a reset that nobody waits for": {`{"error":{"message":"Usage limit reached (reset after 5h12m)"}}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, refusesFor(forever, 429, tt.body), realBackoff)
				got := g.crowd(1, chatBody)[0]
				if got.status != 429 || got.body != tt.body || got.after > 2*time.Second || g.calls.Load() > 2 {
					t.Fatalf("was told %d %q after %v and %d calls", got.status, got.body, got.after, g.calls.Load())
				}
				if !tt.remember {
					return
				}
				before := g.calls.Load()
				for _, got := range g.crowd(10, chatBody) {
					if got.status != 429 || got.after > time.Second {
						t.Errorf("a later one was told %d after %v", got.status, got.after)
					}
				}
				if n := g.calls.Load() - before; n > 1 {
					t.Errorf("%d calls for later ones", n)
				}
			})
		})
	}
}

// TestDatesAreByTheAnswersClock: the machine's clock is 10 minutes slow, or fast; the upstream says when by its own.
func TestDatesAreByTheAnswersClock(t *testing.T) {
	for name, offset := range map[string]time.Duration{"slow": 10 * time.Minute, "fast": -10 * time.Minute} {
		for what, refuse := range map[string]func(h http.Header, at time.Time) string{
			"Retry-After": func(h http.Header, at time.Time) string {
				h.Set("Retry-After", at.Format(http.TimeFormat))
				return ``
			},
			"a reset's instant": func(h http.Header, at time.Time) string {
				h.Set("X-RateLimit-Remaining-Requests", "0")
				h.Set("X-RateLimit-Reset-Requests", at.Format(time.RFC3339))
				return ``
			},
			"a text": func(_ http.Header, at time.Time) string {
				return `{"error":{"message":"Limit resets at ` + at.Format(time.RFC3339) + `"}}`
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						if n > 1 {
							fine(w, r, n)
							return
						}
						there := time.Now().UTC().Add(offset).Truncate(time.Second)
						w.Header().Set("Date", there.Format(http.TimeFormat))
						body := refuse(w.Header(), there.Add(5*time.Second))
						w.WriteHeader(429)
						_, _ = io.Copy(w, strings.NewReader(body))
					}, realBackoff)
					got := g.crowd(1, chatBody)[0]
					if got.status != 200 || got.after < 5*time.Second || got.after > 6*time.Second+time.Second/2 || g.calls.Load() != 2 {
						t.Errorf("was told %d after %v and %d calls", got.status, got.after, g.calls.Load())
					}
				})
			})
		}
	}
}
