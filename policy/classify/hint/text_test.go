package hint

import (
	"testing"
	"time"
)

// testNow is when every answer came.
var testNow = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

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
			if got, _ := InText(text, testNow); got != want {
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
			if got, _ := InText(text, testNow); got != 0 {
				t.Errorf("got %v", got)
			}
			if _, got := InText(text, testNow); !got.IsZero() {
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
			if _, got := InText(text, testNow); !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
