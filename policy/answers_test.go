package policy_test

import (
	"testing"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
)

// TestFromAnswerToDecision follows attempts through both judgements: what they
// mean, and what to do then.
func TestFromAnswerToDecision(t *testing.T) {
	t.Parallel()
	always := retry
	always.Creates = policy.CreatesAlways
	answer := func(status int, body string, e endpoint.Effect) classify.Attempt {
		return classify.Attempt{Status: status, Body: []byte(body), Progress: classify.Answered, Effect: e, Now: start}
	}
	lost := func(f classify.Failure, p classify.Progress, e endpoint.Effect) classify.Attempt {
		return classify.Attempt{Failure: f, Progress: p, Effect: e, Now: start}
	}
	const (
		quota = `{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}`
		limit = `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`
	)
	tests := map[string]struct {
		retry   policy.Retry
		attempt classify.Attempt
		action  policy.Action
		reason  policy.Reason
	}{
		"a success":                  {retry, answer(200, `{}`, endpoint.Compute), policy.Return, policy.ReasonFinal},
		"no quota":                   {retry, answer(429, quota, endpoint.Compute), policy.Return, policy.ReasonFinal},
		"a rate limit":               {retry, answer(429, limit, endpoint.Compute), policy.Line, policy.ReasonRateLimit},
		"a rate limit of a create":   {retry, answer(429, limit, endpoint.Create), policy.Line, policy.ReasonRateLimit},
		"a bad request":              {retry, answer(400, `{"error":{"message":"no"}}`, endpoint.Compute), policy.Return, policy.ReasonFinal},
		"a failure of a compute":     {retry, answer(500, ``, endpoint.Compute), policy.Again, policy.ReasonRetry},
		"a failure of a create":      {retry, answer(500, ``, endpoint.Create), policy.Return, policy.ReasonAmbiguous},
		"the same, when repeatable":  {always, answer(500, ``, endpoint.Create), policy.Again, policy.ReasonRetry},
		"an overload of a create":    {retry, answer(503, ``, endpoint.Create), policy.Again, policy.ReasonRetry},
		"a lost answer to a read":    {retry, lost(classify.Broke, classify.Sent, endpoint.Read), policy.Again, policy.ReasonRetry},
		"a lost answer to a replace": {retry, lost(classify.Broke, classify.Sent, endpoint.Replace), policy.Again, policy.ReasonRetry},
		"a lost answer to a create":  {retry, lost(classify.Broke, classify.Sent, endpoint.Create), policy.Return, policy.ReasonAmbiguous},
		"a late answer to a create":  {retry, lost(classify.Timeout, classify.Sent, endpoint.Create), policy.Return, policy.ReasonAmbiguous},
		"a create that was not sent": {retry, lost(classify.Unreachable, classify.NotSent, endpoint.Create), policy.Again, policy.ReasonRetry},
		"a create that was refused":  {retry, lost(classify.Refused, classify.NotSent, endpoint.Create), policy.Again, policy.ReasonRetry},
		"a caller that left":         {always, lost(classify.Canceled, classify.Sent, endpoint.Create), policy.Return, policy.ReasonFinal},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := tt.retry.Decide(try(func(t *policy.Try) { t.Verdict = classify.Classify(tt.attempt) }))
			d.Delay = 0
			equal(t, "decision", d, policy.Decision{Action: tt.action, Reason: tt.reason})
		})
	}
}
