package classify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"outrigger/policy/classify/hint"
)

func TestRetryAfterReadsEveryFormat(t *testing.T) {
	tests := map[string]struct {
		headers string
		want    time.Duration
		ok      bool
	}{
		"seconds":                      {"Retry-After: 12", 12 * time.Second, true},
		"a fraction":                   {"Retry-After: 1.5", 1500 * time.Millisecond, true},
		"zero":                         {"Retry-After: 0", 0, true},
		"white space":                  {"Retry-After:   7 ", 7 * time.Second, true},
		"a duration":                   {"Retry-After: 6m0s", 6 * time.Minute, true},
		"a date":                       {"Retry-After: Sun, 01 Feb 2026 12:00:30 GMT", 30 * time.Second, true},
		"a date in the past":           {"Retry-After: Sun, 01 Feb 2026 11:00:00 GMT", 0, true},
		"an RFC 850 date":              {"Retry-After: Sunday, 01-Feb-26 12:01:00 GMT", time.Minute, true},
		"milliseconds":                 {"Retry-After-Ms: 1500", 1500 * time.Millisecond, true},
		"Azure's milliseconds":         {"X-Ms-Retry-After-Ms: 250.5", 250500 * time.Microsecond, true},
		"milliseconds before seconds":  {"Retry-After: 9\nRetry-After-Ms: 8400", 8400 * time.Millisecond, true},
		"bad milliseconds, seconds":    {"Retry-After: 9\nRetry-After-Ms: NaN", 9 * time.Second, true},
		"a year":                       {"Retry-After: 31622400", 366 * 24 * time.Hour, true},
		"more than a year":             {"Retry-After: 31622401", 0, false},
		"a date years ahead":           {"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", 0, false},
		"beyond all numbers":           {"Retry-After: " + strings.Repeat("9", 400), 0, false},
		"negative":                     {"Retry-After: -1", 0, false},
		"NaN":                          {"Retry-After: NaN", 0, false},
		"infinite":                     {"Retry-After: Inf", 0, false},
		"hexadecimal":                  {"Retry-After: 0x10", 0, false},
		"an exponent":                  {"Retry-After: 1e3", 0, false},
		"two dots":                     {"Retry-After: 1.2.3", 0, false},
		"a dot":                        {"Retry-After: .", 0, false},
		"a word":                       {"Retry-After: soon", 0, false},
		"a duration and more":          {"Retry-After: 5s later", 0, false},
		"empty":                        {"Retry-After: ", 0, false},
		"none":                         {"X-Other: 5", 0, false},
		"negative milliseconds":        {"Retry-After-Ms: -5", 0, false},
		"infinite milliseconds":        {"Retry-After-Ms: Infinity", 0, false},
		"reset headers are not a hint": {"X-Ratelimit-Reset-Requests: 5s", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for line := range strings.SplitSeq(tt.headers, "\n") {
				key, value, _ := strings.Cut(line, ": ")
				h.Add(key, value)
			}
			if got, ok := RetryAfter(h, testNow); got != tt.want || ok != tt.ok {
				t.Errorf("got %v, %v, want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestWaitsAreFoundInTexts(t *testing.T) {
	tests := map[string]time.Duration{
		"please try again in 20s. visit https://platform.openai.com":     20 * time.Second,
		"please try again in 7m12s.":                                     432 * time.Second,
		"please try again in 6ms. contact us":                            6 * time.Millisecond,
		"please retry in 37.4s.":                                         37400 * time.Millisecond,
		"please retry after 45 seconds.":                                 45 * time.Second,
		"try again in 35 seconds":                                        35 * time.Second,
		"please try again after 1 seconds":                               time.Second,
		"no deployments available, try again in 60 seconds. passed":      time.Minute,
		"exhausted your quota. retry after: 21 seconds.":                 21 * time.Second,
		"please wait 53312 seconds before retrying.":                     53312 * time.Second,
		"please wait 8 hours 24 minutes and try again":                   504 * time.Minute,
		`{"retrydelay": "26s"}`:                                          26 * time.Second,
		"retry your request after 30s":                                   30 * time.Second,
		"retry later, or try again in about 5 minutes":                   5 * time.Minute,
		"you can retry your request, or contact us (request id 45378s7)": 0,
		"try again later":                                                0,
		"please try again in 2026":                                       0,
		"you may retry in 3 different ways":                              0,
		"retry with 4 messages":                                          0,
		"wait":                                                           0,
		"":                                                               0,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if got, _ := hint.InText(text, testNow); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestTheBestHintOfAnAnswerCounts(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want time.Duration
	}{
		"the text is what Retry-After was rounded from": {
			answer(429, groqTPM, "Retry-After: 12"), 11455 * time.Millisecond,
		},
		"a much longer Retry-After counts": {
			answer(429, groqTPM, "Retry-After: 30"), 30 * time.Second,
		},
		"a much longer text counts": {
			answer(429, `try again in 7m12s`, "Retry-After: 1"), 432 * time.Second,
		},
		"milliseconds are more exact than seconds": {
			answer(429, ``, "Retry-After: 2", "Retry-After-Ms: 1200"), 1200 * time.Millisecond,
		},
		"RetryInfo before the text": {
			answer(503, `{"error":{"message":"Please retry in 37.4s.","details":[{"retryDelay":"37s"}]}}`), 37 * time.Second,
		},
		"a field": {
			answer(503, `{"error":{"message":"x","availability":{"retry_after":4}}}`), 4 * time.Second,
		},
		"headers quoted in a stream's error": {
			event("error", `{"type":"error","error":{"code":"rate_limit_exceeded","headers":{"retry-after":"3","x-ratelimit-remaining-tokens":"0"}},"sequence_number":2}`), 3 * time.Second,
		},
		"a wrong hint is none": {
			answer(429, ``, "Retry-After: -3"), 0,
		},
		"the reset of the bucket that refused": {
			answer(429, cerebras, "X-Ratelimit-Reset-Tokens-Minute: 30.5", "X-Ratelimit-Reset-Requests-Day: 4000"), 30500 * time.Millisecond,
		},
		"Azure's misspelt reset": {
			answer(429, `{"error":{"code":"429","message":"You have exceeded the token rate limit."}}`, "X-Rate-Limit-Reset-Tokens: 55"), 55 * time.Second,
		},
		"the reset of what has nothing remaining": {
			answer(
				429, ``, "X-Ratelimit-Remaining-Requests: 5", "X-Ratelimit-Reset-Requests: 9s",
				"X-Ratelimit-Remaining-Tokens: 0", "X-Ratelimit-Reset-Tokens: 7.66s",
			), 7660 * time.Millisecond,
		},
		"Anthropic's instant": {
			answer(429, ``, "Anthropic-Ratelimit-Input-Tokens-Remaining: 0", "Anthropic-Ratelimit-Input-Tokens-Reset: 2026-02-01T12:00:20Z"), 20 * time.Second,
		},
		"Together's seconds": {
			answer(429, ``, "X-Ratelimit-Reset: 7"), 7 * time.Second,
		},
		"OpenRouter's milliseconds since 1970, in the body": {
			answer(429, `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-min.","metadata":{"headers":{"X-RateLimit-Reset":"1769947240000"}}}}`), 40 * time.Second,
		},
		"seconds since 1970": {
			answer(429, ``, "X-Ratelimit-Reset: 1769947210"), 10 * time.Second,
		},
		"an instant that has passed": {
			answer(429, ``, "X-Ratelimit-Reset: 1741305600000"), 0,
		},
		"Azure's unknowns": {
			answer(429, `{"error":{"code":"429","message":"x"}}`, "X-Ratelimit-Limit-Tokens: -1", "X-Ratelimit-Remaining-Tokens: -1", "X-Ratelimit-Reset-Tokens: 0"), 0,
		},
		"a reset that outlasts the window that refused": {
			answer(429, `{"error":{"message":"Rate limit reached on requests per minute (RPM): Limit 30, Used 30, Requested 1."}}`, "X-Ratelimit-Reset-Requests: 2m59.56s"), 0,
		},
		"resets say nothing about a failure": {
			answer(500, ``, "X-Ratelimit-Reset: 7"), 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Wait != tt.want {
				t.Errorf("rule %s: got %v, want %v", v.Rule, v.Wait, tt.want)
			}
		})
	}
}

func TestInstantsAreFoundInTexts(t *testing.T) {
	tests := map[string]time.Time{
		"you will regain access on 2026-09-01 at 00:00 utc.":               time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		"your limit will reset at 2026-03-06 22:19:54":                     time.Date(2026, 3, 6, 14, 19, 54, 0, time.UTC),
		"limit type: requests. limit resets at: 2026-03-06 22:19:54 utc":   time.Date(2026, 3, 6, 22, 19, 54, 0, time.UTC),
		"try again after 2026-03-06t22:19:54z":                             time.Date(2026, 3, 6, 22, 19, 54, 0, time.UTC),
		"your limit will reset at 2026-13-45 22:19:54":                     {},
		"this model was released on 2026-03-06 22:19:54":                   {},
		"your limit will reset at 2025-03-06 22:19:54, which is long past": {},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			if got := Classify(answer(429, text)).Until; !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestAWaitUntilAllOfALimitIsThereIsToldFromOneForTheRequest: only the last resort is one.
func TestAWaitUntilAllOfALimitIsThereIsToldFromOneForTheRequest(t *testing.T) {
	tests := map[string]struct {
		answer Attempt
		want   bool
	}{
		"a reset":                 {answer(429, ``, "X-Ratelimit-Remaining-Requests: 0", "X-Ratelimit-Reset-Requests: 9s"), true},
		"a reset and Retry-After": {answer(429, ``, "X-Ratelimit-Reset: 7", "Retry-After: 2"), false},
		"a reset and a text":      {answer(429, `{"error":{"message":"Please try again in 20s."}}`, "X-Ratelimit-Reset: 7"), false},
		"nothing":                 {answer(429, ``), false},
		"a failure":               {answer(500, ``, "X-Ratelimit-Reset: 7"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Classify(tt.answer).WaitFull; got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
