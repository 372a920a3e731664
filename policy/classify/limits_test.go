package classify

import (
	"testing"
	"time"
)

func TestLimitsAreReadFromRefusals(t *testing.T) {
	const day = 24 * time.Hour
	tests := map[string]struct {
		body string
		want Limits
	}{
		"OpenAI": {
			"Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 14567, Requested 24754. Please try again in 18.642s.",
			Limits{"tokens", 30000, 14567, 24754, time.Minute},
		},
		"OpenAI per day": {
			"Rate limit reached for m on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.",
			Limits{"requests", 200, 200, 1, day},
		},
		"OpenAI in 2023": {
			"Rate limit reached for 10KTPM-200RPM in organization o on tokens per min. Limit: 10000 / min. Please try again in 6ms.",
			Limits{"tokens", 10000, 0, 0, time.Minute},
		},
		"OpenAI's images": {
			"Rate limit reached for images per minute. Limit: 25/5min. Current: 27/5min.",
			Limits{"images", 25, 27, 0, 5 * time.Minute},
		},
		"Groq, approximate": {
			"on tokens per minute (TPM): Limit 7000, Used 0, Requested ~6903.",
			Limits{"tokens", 7000, 0, 6903, time.Minute},
		},
		"Groq without the window": {
			`{"error":{"message":"in organization o on : Limit 131072, Used 130385, Requested 731.","type":"tokens"}}`,
			Limits{"tokens", 131072, 130385, 731, 0},
		},
		"Groq's audio": {
			"on audio seconds per hour (ASH): Limit 7200, Used 7100, Requested 300.",
			Limits{"audio_seconds", 7200, 7100, 300, time.Hour},
		},
		"LiteLLM, without the request": {
			"on requests per min (RPM): Limit 3, Used 3.",
			Limits{"requests", 3, 3, 0, time.Minute},
		},
		"xAI": {
			"Your team's rate limit is — Tokens per Minute (actual/limit): 65605/16000.",
			Limits{"tokens", 16000, 65605, 0, time.Minute},
		},
		"xAI per second": {
			"Your team's rate limit is — Requests per Second (actual/limit): 9/8.",
			Limits{"requests", 8, 9, 0, time.Second},
		},
		"Anthropic": {
			"This request would exceed the rate limit for your organization of 20,000 input tokens per minute.",
			Limits{"input_tokens", 20000, 0, 0, time.Minute},
		},
		"Anthropic's output": {
			"the rate limit for your organization of 8,000 output tokens per minute.",
			Limits{"output_tokens", 8000, 0, 0, time.Minute},
		},
		"Anthropic without numbers": {
			"Number of request tokens has exceeded your per-minute rate limit",
			Limits{"tokens", 0, 0, 0, time.Minute},
		},
		"Together": {
			"The maximum rate limit for this model is 9.0 queries per minute.",
			Limits{"requests", 9, 0, 0, time.Minute},
		},
		"Moonshot": {
			"request reached organization max RPM: 3, please try again after 1 seconds",
			Limits{"requests", 3, 0, 0, time.Minute},
		},
		"Moonshot with numbers": {
			"request reached organization TPD rate limit, current: 1500100, limit: 1500000",
			Limits{"tokens", 1500000, 1500100, 0, day},
		},
		"Moonshot's concurrency": {
			"request reached organization max concurrency: 1",
			Limits{"concurrency", 1, 0, 0, 0},
		},
		"GitHub": {
			"Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 53312 seconds before retrying.",
			Limits{"", 50, 0, 0, day},
		},
		"Azure": {
			"have exceeded call rate limit of your current OpenAI S0 pricing tier.",
			Limits{"requests", 0, 0, 0, 0},
		},
		"minute or day": {
			"You hit the per-minute or per-day request/token cap.",
			Limits{},
		},
		"daily":            {"Daily limit reached.", Limits{"", 0, 0, 0, day}},
		"seconds in words": {"You may send 10 requests per 60 seconds.", Limits{"requests", 10, 0, 0, time.Minute}},
		"every so often":   {"Only 1 request every 5 seconds is allowed.", Limits{"requests", 1, 0, 0, 5 * time.Second}},
		"tokens, minutes":  {"The limit is 5,000 input tokens per 5 minutes.", Limits{"input_tokens", 5000, 0, 0, 5 * time.Minute}},
		"what was sent":    {"You sent 120 requests in 60 seconds.", Limits{}},
		"nothing":          {"Too Many Requests", Limits{}},
		"beyond all sizes": {"Limit 99999999999999999999, Used 3", Limits{"", 0, 3, 0, 0}},
		"a window beyond all sizes": {
			"Limit: 5/9999999min.",
			Limits{"", 5, 0, 0, 1000 * time.Minute},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Classify(answer(429, tt.body))
			if v.Limit != tt.want || v.Outcome != OutcomeRateLimited && v.Rule != "allowance_used" {
				t.Errorf("rule %s: got\n%+v, want\n%+v", v.Rule, v.Limit, tt.want)
			}
		})
	}
}

func TestARequestOverTheLimitNeverFits(t *testing.T) {
	tests := map[string]bool{
		"Request too large for m on tokens per min (TPM): Limit 30000, Requested 30601.":               true,
		"tokens per minute (TPM): Limit 7000, Used 0, Requested ~12,903. Please try again in 50.6s.":   true,
		"Your request exceeded model token limit: 262144 (requested: 269030)":                          true,
		"tokens per minute (TPM): Limit 30000, Used 29999, Requested 30000. Please try again in 59.9s": false,
		"Tokens per Minute (actual/limit): 65605/16000":                                                false,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			v := Classify(answer(429, text))
			if got := v.Outcome == OutcomeNeverFits; got != want || (got && v.Wait > 0 && !v.HintFalse) {
				t.Errorf("rule %s: got %v, want %v", v.Rule, got, want)
			}
		})
	}
}
