package classify

import (
	"strings"
	"testing"
	"time"

	"outrigger/policy/endpoint"
)

// The texts of four 429s that a search for single words judges wrongly.
const (
	openaiRPM = `{"error":{"message":"Rate limit reached for m in organization o on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`
	groqTPM   = `{"error":{"message":"Rate limit reached for model m on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854. Please try again in 11.455s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing","type":"tokens","code":"rate_limit_exceeded"}}`
	cerebras  = `{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}`
	fireworks = `{"fault":{"faultstring":"Rate limit quota violation. Quota limit exceeded.","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}`
	noCredits = `{"error":{"message":"You have no credits remaining. Add credits to continue using the API","type":"insufficient_quota","code":"credit_balance_exhausted"}}`
)

func TestWordsAloneDecideNothing(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want Repeat
	}{
		"a rate limit that offers billing is waited for":       {answer(429, openaiRPM), Pause},
		"a rate limit that sells an upgrade is waited for":     {answer(429, groqTPM), Pause},
		"a quota per minute is waited for":                     {answer(429, cerebras), Pause},
		"a quota of Apigee's is waited for":                    {answer(429, fireworks), Pause},
		"Google's quota sentence is waited for when proven":    {answer(429, googleRefusal("RequestsPerMinute", "15", "26s")), Pause},
		"the new quota code is final though the text is other": {answer(429, noCredits), Never},
		"a quota code without type is final":                   {answer(429, `{"error":{"message":"x","type":null,"code":"credit_balance_exhausted"}}`), Never},
		"a quota type without code is final":                   {answer(429, `{"error":{"message":"x","type":"billing_not_active","code":null}}`), Never},
		"a dead account under 400 is final":                    {answer(400, `{"error":{"message":"Your credit balance is too low to access the API.","type":"invalid_request_error"}}`), Never},
		"a suspended account under 429 is final":               {answer(429, `{"error":{"message":"Your account org-x is suspended, please check your plan","type":"y"}}`), Never},
		"a context overflow under 500 is final":                {answer(500, `{"error":{"message":"the request exceeds the available context size","code":500}}`), Never},
		"provider capacity under 429 backs off":                {answer(429, `{"error":{"code":"429","message":"The system is currently experiencing high demand"}}`), Backoff},
		"a 498 backs off":                                      {answer(498, ``), Backoff},
		"a 529 backs off":                                      {answer(529, ``), Backoff},
		"a gateway's 402 is waited for":                        {answer(402, `{"error":{"metadata":{"reason":"in_flight_budget_exhausted"}}}`), Pause},
		"an overload flattened to 400":                         {answer(400, `{"error":{"message":"OllamaException: \"server busy, please try again. maximum pending requests exceeded\"","code":"400"}}`), Backoff},
		"a content filter that says retry":                     {answer(400, `{"error":{"message":"Please modify your prompt and retry.","code":"content_filter"}}`), Never},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if v := Classify(tt.in); v.Repeat != tt.want {
				t.Errorf("rule %s: got %v, want %v", v.Rule, v.Repeat, tt.want)
			}
		})
	}
}

func TestExceededCurrentQuotaIsFinalWithoutProofOfAMinute(t *testing.T) {
	const sentence = "You exceeded your current quota, please check your plan and billing details."
	final := map[string]string{
		"OpenAI":                           `{"error":{"message":"` + sentence + `","type":"insufficient_quota","code":"insufficient_quota"}}`,
		"without type and code":            `{"error":{"message":"` + sentence + `","type":null,"param":null,"code":null}}`,
		"in capitals":                      `{"error":{"message":"` + strings.ToUpper(sentence) + `"}}`,
		"with a rate limit's code":         `{"error":{"message":"` + sentence + `","type":"rate_limit_error","code":"rate_limit_exceeded"}}`,
		"with a wait in the text":          `{"error":{"message":"` + sentence + ` Please try again in 20s."}}`,
		"flat":                             `{"message":"` + sentence + `"}`,
		"error is a string":                `{"error":"` + sentence + `"}`,
		"in a list":                        `[{"error":{"message":"` + sentence + `"}}]`,
		"in FastAPI's detail":              `{"detail":{"error":{"message":"` + sentence + `"}}}`,
		"plain text":                       sentence,
		"a page":                           `<html><body>` + sentence + `</body></html>`,
		"quoted by LiteLLM":                `{"error":{"message":"litellm.RateLimitError: OpenAIException - {\"error\":{\"message\":\"` + sentence + `\"}}","code":"429"}}`,
		"far down a long text":             `{"error":{"message":"` + strings.Repeat("x", 9000) + sentence + `"}}`,
		"Google without proof":             `{"error":{"message":"` + sentence + `","status":"RESOURCE_EXHAUSTED"}}`,
		"Google per day with RetryInfo":    googleRefusal("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20", "38s"),
		"RetryInfo of somebody else":       `{"error":{"message":"` + sentence + `","details":[{"retryDelay":"26s"}]}}`,
		"Google without limit but a wait":  `{"error":{"message":"` + sentence + ` limit: 0, model: m. Please retry in 2.1s.","status":"RESOURCE_EXHAUSTED"}}`,
		"Google per day quoted by LiteLLM": `{"error":{"message":"VertexAIException - RESOURCE_EXHAUSTED ` + sentence + ` quotaId: PerDayPerModel, retryDelay: 38s"}}`,
	}
	for name, body := range final {
		t.Run(name, func(t *testing.T) {
			for _, header := range []string{"Retry-After: 1", "X-Should-Retry: true"} {
				v := Classify(answer(429, body, header))
				if v.Repeat != Never || v.Outcome != OutcomeQuota {
					t.Errorf("rule %s with %q: got %v %v, want never quota", v.Rule, header, v.Repeat, v.Outcome)
				}
			}
		})
	}
	proven := map[string]string{
		"per minute":        googleRefusal("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "15", ""),
		"RetryInfo":         googleRefusal("Other", "15", "26s"),
		"Google's own text": `{"error":{"message":"` + sentence + ` limit: 15, model: m\nPlease retry in 37.4s.","status":"RESOURCE_EXHAUSTED"}}`,
		"quoted by LiteLLM": `{"error":{"message":"litellm.RateLimitError: VertexAIException - {\"error\":{\"message\":\"` + sentence + `\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"violations\":[{\"quotaId\":\"RequestsPerMinute\"}]}]}}","code":"429"}}`,
	}
	for name, body := range proven {
		t.Run(name, func(t *testing.T) {
			if v := Classify(answer(429, body)); v.Repeat != Pause {
				t.Errorf("rule %s: got %v, want pause", v.Rule, v.Repeat)
			}
		})
	}
}

func TestShouldRetryOfTheUpstream(t *testing.T) {
	tests := map[string]struct {
		in   Attempt
		want Verdict
	}{
		"false ends a rate limit": {
			answer(429, ``, "X-Should-Retry: false", "Retry-After: 5"),
			Verdict{Outcome: OutcomeRateLimited, Scope: Credential, Rule: "rate_limited", Wait: 5 * time.Second, Proven: true, Status: 429},
		},
		"false ends a server error": {
			answer(500, ``, "X-Should-Retry: False"),
			Verdict{Outcome: OutcomeFailed, Scope: Upstream, Rule: "server_error", Breaker: Fault, Status: 500},
		},
		"false keeps a create from being repeated on purpose": {
			answer(500, ``, "X-Should-Retry: false").of(endpoint.Create),
			Verdict{Outcome: OutcomeFailed, Scope: Upstream, Rule: "server_error", Breaker: Fault, Status: 500},
		},
		"true rescues a plain rejection": {
			answer(422, ``, "X-Should-Retry: true"),
			Verdict{Outcome: OutcomeRejected, Rule: "other_rejection", Repeat: Backoff, Status: 422},
		},
		"true does not rescue a dead key": {
			answer(401, ``, "X-Should-Retry: true"),
			Verdict{Outcome: OutcomeCredential, Scope: Credential, Rule: "unauthorized", Trip: true, Status: 401},
		},
		"true does not rescue what never fits": {
			answer(413, ``, "X-Should-Retry: true"),
			Verdict{Outcome: OutcomeNeverFits, Rule: "never_fits", Status: 413},
		},
		"true does not make a create safe": {
			answer(500, ``, "X-Should-Retry: true").of(endpoint.Create),
			Verdict{Outcome: OutcomeFailed, Scope: Upstream, Rule: "server_error", Breaker: Fault, Ambiguous: true, Status: 500},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Classify(tt.in); got != tt.want {
				t.Errorf("got\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}

func TestEchoedPromptsDoNotDecide(t *testing.T) {
	echo := `{"object":"error","message":"[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': '` +
		strings.Repeat("lorem ipsum ", 20) + `you exceeded your current quota; incorrect api key provided; model not found'}]","code":400}`
	if v := Classify(answer(400, echo)); v.Rule != ruleOtherRejection {
		t.Errorf("a quoted prompt made it %s", v.Rule)
	}
	detail := `{"detail":[{"loc":["body"],"msg":"Field required","type":"missing","input":"incorrect api key provided"}]}`
	if v := Classify(answer(422, detail)); v.Rule != ruleOtherRejection {
		t.Errorf("an input made it %s", v.Rule)
	}
	page := `<html><body>the API is at capacity; incorrect api key provided</body></html>`
	if v := Classify(answer(404, page)); v.Rule != ruleOtherRejection {
		t.Errorf("a page made it %s", v.Rule)
	}
}

func TestSuccessesAreSuccesses(t *testing.T) {
	tests := map[string]Attempt{
		"no content":                            answer(204, ``),
		"a redirect":                            answer(307, `{"error":"x"}`),
		"switching protocols":                   answer(101, ``),
		"an error that is null":                 answer(200, `{"id":"resp_1","object":"response","error":null}`),
		"an empty error":                        answer(200, `{"choices":[],"error":{}}`),
		"an answer about errors":                answer(200, `{"choices":[{"message":{"content":"\"error\": {\"code\": 500}"},"finish_reason":"stop"}]}`),
		"MiniMax's status of success":           answer(200, `{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}`),
		"blank lines before the answer":         answer(200, "\n\n\n{\"id\":\"x\",\"choices\":[{\"finish_reason\":\"stop\"}]}"),
		"a failed job that is read":             answer(200, `{"id":"ftjob-1","object":"fine_tuning.job","status":"failed","error":{"code":"x","message":"y"}}`).of(endpoint.Read),
		"a failed response that is read":        answer(200, `{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"y"}}`).of(endpoint.Read),
		"a failed response that is canceled":    answer(200, `{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"y"}}`).of(endpoint.Replace),
		"a line of a batch's error file":        answer(200, `{"id":"batch_req_1","custom_id":"a","response":null,"error":{"code":"batch_expired","message":"y"}}`).of(endpoint.Read),
		"a stream that begins with a delta":     event("", `{"choices":[{"delta":{"role":"assistant"},"finish_reason":null}]}`),
		"a stream that begins with a null":      event("", `{"error":null,"choices":[]}`),
		"a stream that was filtered":            event("", `{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`),
		"a response that was cut by its length": event("response.incomplete", `{"type":"response.incomplete","response":{"error":null}}`),
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			want := Verdict{Rule: "ok", Status: in.Status}
			if got := Classify(in); got != want {
				t.Errorf("got\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func TestAnAttemptWithoutAnythingBroke(t *testing.T) {
	got := Classify(Attempt{})
	want := Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Rule: "never_left", Repeat: Backoff, Breaker: Fault}
	if got != want {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}
