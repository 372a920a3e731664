package classify

import (
	"net/http"
	"testing"
	"time"
)

func TestWaitsInAnyWordingAreRead(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	tests := map[string]time.Duration{
		"usage limit hit (reset after 4s)":                                          4 * s,
		"rate limit resets in 3600 seconds":                                         h,
		"your quota will reset after 4h13m45s.":                                     4*h + 13*m + 45*s,
		"quota resets for this organization in about 12 s":                          12 * s,
		"please wait a minute and resend":                                           m,
		"wait at least 1m30s":                                                       90 * s,
		"wait for another 2 hours and 5 minutes":                                    125 * m,
		"try again after 00:01:30":                                                  90 * s,
		"you may try your request again in 1,500 ms":                                1500 * time.Millisecond,
		"available again in ~5s":                                                    5 * s,
		"capacity will be available in less than 2 minutes":                         2 * m,
		"tokens refill in 800 milliseconds":                                         800 * time.Millisecond,
		"the bucket is refilled after 0.5 s":                                        500 * time.Millisecond,
		"allowance renews in 3 hours":                                               3 * h,
		"we will be back in 5 minutes":                                              5 * m,
		"come back in half an hour":                                                 30 * m,
		"back off for 10 secs":                                                      10 * s,
		"cool down: 45s":                                                            45 * s,
		"cooldown period of 3 s is over soon; cooldown 7 s":                         7 * s,
		"your key is temporarily blocked for 60 seconds":                            m,
		"you were throttled for 10s":                                                0, // the past
		"wait 5-10 seconds":                                                         10 * s,
		"estimated wait time: 20 s":                                                 20 * s,
		"retry-after: 21":                                                           21 * s,
		"error 429, retry_after=3.5, id=7":                                          3500 * time.Millisecond,
		`upstream said {"wait_seconds": 8, "code": 5`:                               8 * s,
		"retry_after_ms: 900":                                                       900 * time.Millisecond,
		"30 seconds until reset":                                                    30 * s,
		"leave 5 seconds before your next request":                                  5 * s,
		"1 minute and 5 seconds until the next request":                             65 * s,
		"limit exceeded, retry after waiting 30 seconds":                            30 * s,
		"unlocks in 2 days":                                                         48 * h,
		"service resumes in one hour":                                               h,
		"requests will be accepted again, retry in ten seconds":                     10 * s,
		"please hold off for 15 sec.":                                               15 * s,
		"rate limit reached. reset: 59s":                                            59 * s,
		"rate limited. resets 12 minutes":                                           12 * m,
		"try again in 12 seconds, or raise the limit of 10 requests per 60 seconds": 12 * s,
		"10 requests per 60 seconds are allowed; please try again in 3s":            3 * s,
		"connection reset after 30s, retry in 2s":                                   2 * s,
		"retry after 5s (attempt 3 of 4)":                                           5 * s,
		"you can make another request in 45s":                                       45 * s,
		"next request allowed in 12.5s":                                             12500 * time.Millisecond,
		"next available slot: 30 seconds":                                           30 * s,
		"the next window opens in 25 seconds":                                       25 * s,
		"quota refreshes in 2h":                                                     2 * h,
		"expected wait time is 17 seconds":                                          17 * s,
		"retry after 12":                                                            12 * s,
		"in 30 seconds you may retry":                                               30 * s,
		"too many requests. after 30 seconds, please try again.":                    30 * s,
		"please wait for 20 more seconds":                                           20 * s,
		"wait another minute":                                                       m,
		"retry in pt30s":                                                            30 * s,
		"please try again in 1 week":                                                7 * 24 * h,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if got, _ := textHint(text, testNow); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestTimesThatAreNoHintsAreNotRead(t *testing.T) {
	tests := []string{
		"10 requests per 60 seconds",
		"rate limit of 5 per 1s exceeded, try again later",
		"limit: 100 requests within 1 minute. retry later",
		"try again within 1 minute",
		"timed out after 30 s",
		"request timed out after 30 seconds, please retry",
		"retry timed out after 30 s",
		"retry attempts exhausted after 60 seconds",
		"max 30 minutes of audio",
		"maximum wait 30 seconds",
		"max wait time is 30 s",
		"wait time exceeded 30 seconds",
		"queue wait timeout after 60s",
		"your plan renews in 30 days",
		"rate limit exceeded. your subscription will renew in 12 days.",
		"the billing cycle resets in 12 days",
		"upstream connect error or disconnect/reset before headers. reset reason: connection timeout after 5s",
		"connection reset after 30 s",
		"the stream was reset after 2 minutes",
		"password reset in 5 minutes",
		"limit was reset 5 minutes ago",
		"files are available for 48 hours",
		"the model is available until 2026-12-01",
		"tokens available in the last 60 seconds: 0",
		"tokens available in 60 seconds window: 0",
		"reset interval: 60 seconds",
		"quota resets every 60 seconds",
		"retry limit: 5 attempts in 60 seconds",
		"retry up to 3 times in 60 seconds",
		"wait. 5 minutes of audio were sent",
		"please wait before trying again",
		"wait a few seconds",
		"retry 3 of 5",
		"retry_count: 3",
		"max_retries=5",
		"max_retry_after: 60",
		"retry in 1788264030123456 s",
		"reset_requests: 5",
		"available_tokens: 12",
		"limit 30,000, used 29,500, requested 1,000",
		"model loads in 30 s",
		"this took 30 seconds",
		"available in 30 regions",
		"your trial resets in 5 days",
		"available on 5 s-class machines",
		"failed in 30 seconds, please retry",
		"the call ended after 30 seconds. please try again",
		"please try again in 2026",
		"try again after 3 failed attempts",
		"requests must be at least 2 seconds apart",
		"only 1 request every 5 seconds",
		"the next page is available",
		"the next window has 500 requests",
	}
	for _, text := range tests {
		t.Run(text, func(t *testing.T) {
			if got, _ := textHint(text, testNow); got != 0 {
				t.Errorf("got %v", got)
			}
			if _, got := textHint(text, testNow); !got.IsZero() {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestInstantsInAnyWordingAreRead(t *testing.T) {
	at := func(month time.Month, day, hour, minute, second int) time.Time {
		return time.Date(2026, month, day, hour, minute, second, 0, time.UTC)
	}
	// testNow is 2026-02-01 12:00:00 UTC.
	tests := map[string]time.Time{
		"limit resets at 2026-11-30 00:00:00 utc":              at(11, 30, 0, 0, 0),
		"resets at 2026-11-30t00:00:00z":                       at(11, 30, 0, 0, 0),
		"reset at: 2026-02-01t13:00:00.123456+01:00 (soon)":    {}, // it is now
		"reset at: 2026-02-01t14:00:00.123456+01:00":           at(2, 1, 13, 0, 0),
		"try again at 2026-02-01 12:00:05 +0000 utc":           at(2, 1, 12, 0, 5),
		"blocked until 2026/02/03 04:05 utc":                   at(2, 3, 4, 5, 0),
		"retry after sun, 01 feb 2026 12:00:30 gmt":            at(2, 1, 12, 0, 30),
		"retry after sunday, 01-feb-26 12:01:00 gmt":           at(2, 1, 12, 1, 0),
		"available again on february 3rd, 2026":                at(2, 2, 16, 0, 0),
		"available again on feb 3, 2026 at 8:30 am utc":        at(2, 3, 8, 30, 0),
		"your limit resets feb 3 at 3pm (utc)":                 at(2, 3, 15, 0, 0),
		"resets on jan 2 at 00:00 utc":                         time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC),
		"the quota resets at midnight utc":                     at(2, 2, 0, 0, 0),
		"the quota resets daily at midnight pacific time":      at(2, 2, 7, 0, 0),
		"please try again tomorrow":                            at(2, 2, 0, 0, 0),
		"come back tomorrow at 08:00 utc":                      at(2, 2, 8, 0, 0),
		"allocation resets daily at 00:00 utc":                 at(2, 2, 0, 0, 0),
		"wait until 14:30 gmt":                                 at(2, 1, 14, 30, 0),
		"resets 3:45 pm utc":                                   at(2, 1, 15, 45, 0),
		"renewed at the start of the next month":               at(3, 1, 0, 0, 0),
		"retry at 1769947240":                                  at(2, 1, 12, 0, 40),
		"reset at 1769947240000":                               at(2, 1, 12, 0, 40),
		"model is not available until 2026-02-01 12:00:30 utc": at(2, 1, 12, 0, 30),
		"your limit will reset at 2026-02-01 20:00:30":         at(2, 1, 12, 0, 30), // Beijing's, as z.ai means it
		"your limit will reset at 2026-02-01 12:00:30":         at(2, 1, 12, 0, 30), // long past there
		"resets at 2026-02-30 00:00 utc":                       at(3, 2, 0, 0, 0),
		"resets at 2026-02-01 25:00 utc":                       {},
		"resets at 2099-01-01 00:00:00 utc":                    {},
		"resets at 13 pm utc":                                  {},
		"resets at 10":                                         {},
		"released on 2026-11-30 00:00:00 utc":                  {},
		"access ends at midnight utc":                          {},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if _, got := textHint(text, testNow); !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestFieldsAreReadByTheWordsOfTheirNames(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	at := func(d time.Duration) fieldTime { return fieldTime{kind: resetField, at: testNow.Add(d)} }
	tests := []struct {
		name  string
		value any
		want  fieldTime
	}{
		{"retry_after", 4.0, fieldTime{kind: retryField, wait: 4 * s}},
		{"retryAfter", "4", fieldTime{kind: retryField, wait: 4 * s}},
		{"retry_after_ms", 1500.0, fieldTime{kind: retryField, wait: 1500 * ms}},
		{"retryAfterMs", 1500.0, fieldTime{kind: retryField, wait: 1500 * ms}},
		{"retry_after_seconds", 7.5, fieldTime{kind: retryField, wait: 7500 * ms}},
		{"Retry-After", "7s", fieldTime{kind: retryField, wait: 7 * s}},
		{"retryDelay", "26s", fieldTime{kind: retryField, wait: 26 * s}},
		{"retryDelay", map[string]any{"seconds": "26", "nanos": 5.0}, fieldTime{kind: retryField, wait: 26 * s}},
		{"retry_in", "PT1M30S", fieldTime{kind: retryField, wait: 90 * s}},
		{"wait", 3.0, fieldTime{kind: retryField, wait: 3 * s}},
		{"wait_seconds", 3.0, fieldTime{kind: retryField, wait: 3 * s}},
		{"waitTimeSeconds", 3.0, fieldTime{kind: retryField, wait: 3 * s}},
		{"cooldown_ms", 250.0, fieldTime{kind: retryField, wait: 250 * ms}},
		{"backoff", "00:00:05", fieldTime{kind: retryField, wait: 5 * s}},
		{"next_available_at", "2026-02-01T12:00:20Z", fieldTime{kind: retryField, at: testNow.Add(20 * s)}},
		{"blockedUntil", 1769947240.0, fieldTime{kind: retryField, at: testNow.Add(40 * s)}},
		{"resets_in", 55.0, fieldTime{kind: resetField, wait: 55 * s}},
		{"reset_after", "4s", fieldTime{kind: resetField, wait: 4 * s}},
		{"resets_in_seconds", 55.0, fieldTime{kind: resetField, wait: 55 * s}},
		{"reset_in_minutes", 2.0, fieldTime{kind: resetField, wait: 120 * s}},
		{"reset", 12.0, fieldTime{kind: resetField, wait: 12 * s}},
		{"resets_at", 1769947240.0, at(40 * s)},
		{"resetAt", "1769947240000", at(40 * s)},
		{"reset_time", "2026-02-01T12:00:20Z", at(20 * s)},
		{"quotaResetTimeStamp", "2026-02-01T12:00:20Z", at(20 * s)},
		{"nextResetTime", 1769947240000.0, fieldTime{kind: retryField, at: testNow.Add(40 * s)}},
		{"reset_date", "Sun, 01 Feb 2026 12:00:30 GMT", at(30 * s)},
		{"rate_limit_reset", "2026-02-01 12:00:20 UTC", at(20 * s)},
		{"estimated_time", 20.0, fieldTime{kind: loadingField, wait: 20 * s}},
		{"eta_seconds", 20.0, fieldTime{kind: loadingField, wait: 20 * s}},
		{"estimated_wait", 20.0, fieldTime{kind: retryField, wait: 20 * s}},
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
		if got := fieldHint(name, 30.0, testNow); got.wait != 0 || !got.at.IsZero() {
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
