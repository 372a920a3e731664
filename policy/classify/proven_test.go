package classify

import "testing"

// TestRefusalsThatProveARateLimitAreToldFromUnknownOnes: what is unknown must not hold up other requests.
func TestRefusalsThatProveARateLimitAreToldFromUnknownOnes(t *testing.T) {
	anthropic := func(message string) string {
		return `{"type":"error","error":{"type":"rate_limit_error","message":"` + message + `"}}`
	}
	tests := map[string]struct {
		in   Attempt
		want bool
	}{
		"a wait in a header":        {answer(429, ``, "Retry-After: 3"), true},
		"a wait in the text":        {answer(429, `{"error":{"message":"Please try again in 20s."}}`), true},
		"a bucket at 0":             {answer(429, ``, "X-Ratelimit-Remaining-Requests: 0"), true},
		"OpenAI's sentence":         {answer(429, `{"error":{"message":"Rate limit reached for gpt-4o","code":"rate_limit_exceeded"}}`), true},
		"what is counted":           {answer(429, `{"error":{"message":"You used all tokens per minute of this model."}}`), true},
		"Bedrock's wording":         {answer(429, `{"message":"Too many tokens, please wait before trying again."}`), true},
		"HTTP's own words":          {answer(429, `{"error":"Too Many Requests"}`), true},
		"a code, and no reason":     {answer(429, anthropic("Error")), true},
		"a code alone":              {answer(429, `{"error":{"code":"rate_limit_exceeded"}}`), true},
		"too fast":                  {answer(429, `{"error":{"code":"slow_down","message":"x"}}`), true},
		"another reason, same code": {answer(429, anthropic("Prompts of this size need to be switched on by an administrator.")), false},
		"another reason":            {answer(429, `{"error":{"message":"Please verify your phone number first."}}`), false},
		"a limit of something else": {answer(429, `{"error":{"message":"You exceeded the limit of 10 images in a prompt."}}`), false},
		"a limit of no kind":        {answer(429, `{"error":{"message":"Limit exceeded"}}`), false},
		"a quota":                   {answer(429, `{"error":{"message":"Quota exceeded for this API"}}`), true},
		"a proxy's code":            {answer(429, "local_rate_limited"), true},
		"a bare 429":                {answer(429, ``), false},
		"a page":                    {answer(429, `<html><title>429 Too Many Requests</title></html>`), false},
		"buckets that are not at 0": {answer(429, ``, "X-Ratelimit-Remaining-Requests: 7"), false},
		"a failure":                 {answer(503, `{"error":{"message":"x"}}`, "Retry-After: 3"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Proven != tt.want {
				t.Errorf("rule %s, %v: got %t", v.Rule, v.Outcome, v.Proven)
			}
		})
	}
}
