package classify

import (
	"net/http"
	"testing"
	"time"

	"outrigger/policy/classify/hint"
)

func TestFieldsAreReadByTheWordsOfTheirNames(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	at := func(d time.Duration) hint.Time { return hint.Time{Kind: hint.Reset, At: testNow.Add(d)} }
	tests := []struct {
		name  string
		value any
		want  hint.Time
	}{
		{"retry_after", 4.0, hint.Time{Kind: hint.Retry, Wait: 4 * s}},
		{"retryAfter", "4", hint.Time{Kind: hint.Retry, Wait: 4 * s}},
		{"retry_after_ms", 1500.0, hint.Time{Kind: hint.Retry, Wait: 1500 * ms}},
		{"retryAfterMs", 1500.0, hint.Time{Kind: hint.Retry, Wait: 1500 * ms}},
		{"retry_after_seconds", 7.5, hint.Time{Kind: hint.Retry, Wait: 7500 * ms}},
		{"Retry-After", "7s", hint.Time{Kind: hint.Retry, Wait: 7 * s}},
		{"retryDelay", "26s", hint.Time{Kind: hint.Retry, Wait: 26 * s}},
		{"retryDelay", map[string]any{"seconds": "26", "nanos": 5.0}, hint.Time{Kind: hint.Retry, Wait: 26 * s}},
		{"retry_in", "PT1M30S", hint.Time{Kind: hint.Retry, Wait: 90 * s}},
		{"wait", 3.0, hint.Time{Kind: hint.Retry, Wait: 3 * s}},
		{"wait_seconds", 3.0, hint.Time{Kind: hint.Retry, Wait: 3 * s}},
		{"waitTimeSeconds", 3.0, hint.Time{Kind: hint.Retry, Wait: 3 * s}},
		{"cooldown_ms", 250.0, hint.Time{Kind: hint.Retry, Wait: 250 * ms}},
		{"backoff", "00:00:05", hint.Time{Kind: hint.Retry, Wait: 5 * s}},
		{"next_available_at", "2026-02-01T12:00:20Z", hint.Time{Kind: hint.Retry, At: testNow.Add(20 * s)}},
		{"blockedUntil", 1769947240.0, hint.Time{Kind: hint.Retry, At: testNow.Add(40 * s)}},
		{"resets_in", 55.0, hint.Time{Kind: hint.Reset, Wait: 55 * s}},
		{"reset_after", "4s", hint.Time{Kind: hint.Reset, Wait: 4 * s}},
		{"resets_in_seconds", 55.0, hint.Time{Kind: hint.Reset, Wait: 55 * s}},
		{"reset_in_minutes", 2.0, hint.Time{Kind: hint.Reset, Wait: 120 * s}},
		{"reset", 12.0, hint.Time{Kind: hint.Reset, Wait: 12 * s}},
		{"resets_at", 1769947240.0, at(40 * s)},
		{"resetAt", "1769947240000", at(40 * s)},
		{"reset_time", "2026-02-01T12:00:20Z", at(20 * s)},
		{"quotaResetTimeStamp", "2026-02-01T12:00:20Z", at(20 * s)},
		{"nextResetTime", 1769947240000.0, hint.Time{Kind: hint.Retry, At: testNow.Add(40 * s)}},
		{"reset_date", "Sun, 01 Feb 2026 12:00:30 GMT", at(30 * s)},
		{"rate_limit_reset", "2026-02-01 12:00:20 UTC", at(20 * s)},
		{"estimated_time", 20.0, hint.Time{Kind: hint.Loading, Wait: 20 * s}},
		{"eta_seconds", 20.0, hint.Time{Kind: hint.Loading, Wait: 20 * s}},
		{"estimated_wait", 20.0, hint.Time{Kind: hint.Retry, Wait: 20 * s}},
	}
	for _, tt := range tests {
		if got := fieldHint(tt.name, tt.value, testNow); got != tt.want {
			t.Errorf("%s: %v: got %+v, want %+v", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestFieldsAboutOtherThingsAreNoHints(t *testing.T) {
	for _, name := range []string{
		"retry", "retry_count", "retries", "max_retries", "retry_attempts", "max_retry_after", "retryable", "retry_policy",
		"max_wait_seconds", "queue_wait_ms", "timeout", "timeout_seconds", "window", "reset_window", "reset_interval_seconds",
		"reset_requests", "reset_tokens", "available", "available_tokens", "available_until", "remaining", "created_at", "expires_at",
		"expires_in", "plan_renews_at", "subscription_renewal_date", "billing_cycle_reset_at", "estimated_tokens", "estimated_cost", "limit", "time",
		"duration", "next_page", "next_cursor", "interval", "password_reset_at", "resettable", "", "_", "waiters",
	} {
		if got := fieldHint(name, 30.0, testNow); got.Wait != 0 || !got.At.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestHintsAreFoundInAnErrorAtAnyDepth(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want time.Duration
	}{
		"beside the error":        {answer(429, `{"error":{"message":"x"},"retry_after":6}`), 6 * time.Second},
		"deep in it":              {answer(429, `{"error":{"message":"x","details":[{"info":{"limits":[{"resets_in":9}]}}]}}`), 9 * time.Second},
		"in FastAPI's detail":     {answer(429, `{"detail":{"msg":"x","wait_seconds":5}}`), 5 * time.Second},
		"to retry before all":     {answer(429, `{"error":{"message":"x","retry_after":2,"reset_after":50}}`), 2 * time.Second},
		"in a quoted error":       {answer(429, `{"error":{"message":"{\"error\":{\"message\":\"y\",\"retry_after_ms\":700}}"}}`), 700 * time.Millisecond},
		"in a stream's event":     {event("error", `{"type":"error","code":"rate_limit_exceeded","retryAfter":3}`), 3 * time.Second},
		"not in a quoted call":    {answer(429, `{"error":{"message":"x"},"request":{"retry_after":6}}`), 0},
		"not in its messages":     {answer(429, `{"error":{"message":"x","input":{"wait":6}},"messages":[{"retry_after":6}]}`), 0},
		"not as deep as no end":   {answer(429, `{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"retry_after":6}}}}}}}}}}}`), 0},
		"not in a response's use": {event("", `{"type":"response.failed","response":{"metadata":{"retry_after":"6"},"error":{"code":"rate_limit_exceeded","message":"x"}}}`), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Wait != tt.want {
				t.Errorf("rule %s: got %v, want %v", v.Rule, v.Wait, tt.want)
			}
		})
	}
}

// TestInstantsCountFromTheAnswersOwnDate: the machine's clock is 10 minutes slow, so every instant is 10 minutes further
// ahead by it than it is.
func TestInstantsCountFromTheAnswersOwnDate(t *testing.T) {
	server := testNow.Add(10 * time.Minute)
	date := "Date: " + server.Format(http.TimeFormat)
	in5, epoch5 := server.Add(5*time.Second), "1769947805"
	tests := map[string]Attempt{
		"Retry-After":      answer(429, ``, date, "Retry-After: "+in5.Format(http.TimeFormat)),
		"of a failure":     answer(503, ``, date, "Retry-After: "+in5.Format(http.TimeFormat)),
		"an epoch header":  answer(429, ``, date, "X-Ratelimit-Reset: "+epoch5),
		"millis":           answer(429, ``, date, "X-Ratelimit-Reset: "+epoch5+"000"),
		"Anthropic's":      answer(429, ``, date, "Anthropic-Ratelimit-Tokens-Remaining: 0", "Anthropic-Ratelimit-Tokens-Reset: "+in5.Format(time.RFC3339)),
		"a field":          answer(429, `{"error":{"resets_at":`+epoch5+`}}`, date),
		"a text":           answer(429, `Limit resets at `+in5.Format(time.RFC3339), date),
		"a duration stays": answer(429, ``, date, "Retry-After: 5"),
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			v := Classify(in)
			got := v.Wait
			if !v.Until.IsZero() {
				got = max(got, v.Until.Sub(testNow))
			}
			if got != 5*time.Second {
				t.Errorf("got %v (wait %v, until %v)", got, v.Wait, v.Until)
			}
		})
	}
	plain := answer(429, ``, "Retry-After: "+testNow.Add(7*time.Second).Format(http.TimeFormat))
	if v := Classify(plain); v.Wait != 7*time.Second {
		t.Errorf("without a Date: got %v, want 7 s", v.Wait)
	}
}

func TestTheRateLimitFieldTellsTheWait(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want time.Duration
	}{
		"Hugging Face": {answer(429, ``, `Ratelimit: "api";r=0;t=55`, `Ratelimit-Policy: "fixed window";"api";q=500;w=300`), 55 * time.Second},
		"draft 7":      {answer(429, ``, `Ratelimit: limit=10, remaining=0, reset=50`, `Ratelimit-Policy: 10;w=60`), 50 * time.Second},
		"draft 3":      {answer(429, ``, `Ratelimit-Limit: 10, 10;w=60`, `Ratelimit-Remaining: 0`, `Ratelimit-Reset: 50`), 50 * time.Second},
		"the one that is spent": {
			answer(429, ``, `Ratelimit: "perday";r=900;t=40000, "permin";r=0;t=9`), 9 * time.Second,
		},
		"two lines":                    {answer(429, ``, `Ratelimit: "perday";r=900;t=40000`, `Ratelimit: "permin";r=0;t=9`), 9 * time.Second},
		"none is spent":                {answer(429, ``, `Ratelimit: "permin";r=4;t=9`), 0},
		"malformed":                    {answer(429, ``, `Ratelimit: "permin;r=0;t=9`), 0},
		"it says nothing of a failure": {answer(500, ``, `Ratelimit: "permin";r=0;t=9`), 0},
		"Retry-After says when":        {answer(429, ``, `Ratelimit: "permin";r=0;t=9`, "Retry-After: 2"), 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Classify(tt.in)
			if v.Wait != tt.want || v.Proven != (tt.want > 0) {
				t.Errorf("rule %s: got %v, proven %t, want %v", v.Rule, v.Wait, v.Proven, tt.want)
			}
		})
	}
}

// TestPromptsThatSpeakOfWaitingAreNoHints: a rejection may quote what the caller sent.
func TestPromptsThatSpeakOfWaitingAreNoHints(t *testing.T) {
	for name, in := range map[string]Attempt{
		"a sentence":                          answer(400, `{"error":{"message":"Invalid 'input': please try again in 20s","type":"invalid_request_error"}}`),
		"an instant":                          answer(422, `{"detail":[{"msg":"bad value","input":"resets at 2026-11-30 00:00:00 UTC"}]}`),
		"a field":                             answer(422, `{"detail":[{"msg":"bad value","retry_after":30}]}`),
		"even if the upstream wants a repeat": answer(400, `{"error":{"message":"Invalid 'input': wait 5 minutes"}}`, "X-Should-Retry: true"),
	} {
		if v := Classify(in); v.Wait != 0 || !v.Until.IsZero() || v.Proven {
			t.Errorf("%s: rule %s waits %v, until %v", name, v.Rule, v.Wait, v.Until)
		}
	}
	if v := Classify(answer(400, `{"error":{"message":"x"}}`, "Retry-After: 5")); v.Wait != 5*time.Second {
		t.Errorf("the header of a rejection: got %v", v.Wait)
	}
}
