package classify

import (
	"testing"

	"outrigger/policy/classify/hint"
)

// kindCase is a refusal in words that no list has, with what it is.
type kindCase struct {
	in      Attempt
	outcome Outcome
	scope   Scope
}

// TestRefusalsAreToldApartByKind: members that were made up, beside the false friends of each kind.
func TestRefusalsAreToldApartByKind(t *testing.T) {
	text := func(status int, message string) Attempt { return answer(status, `{"error":{"message":"`+message+`"}}`) }
	tests := map[string]kindCase{
		// An allowance for hours or longer.
		"a day":                          {text(429, "Too many tokens per day, please wait before trying again."), OutcomeQuota, Model},
		"a day, the same without it":     {text(429, "Too many tokens, please wait before trying again."), OutcomeRateLimited, Model},
		"today":                          {text(429, "Today's request quota for this key is exhausted."), OutcomeQuota, Credential},
		"a week":                         {text(429, "You have hit your weekly usage cap."), OutcomeQuota, Credential},
		"a month":                        {text(429, "Trial accounts are limited to 1000 calls / month."), OutcomeQuota, Credential},
		"five hours":                     {text(429, "5-hour usage limit reached."), OutcomeQuota, Credential},
		"underscores":                    {text(429, "Quota exceeded for aiplatform.googleapis.com/requests_per_model_per_day."), OutcomeQuota, Model},
		"Chinese":                        {text(429, "该 API 已达今日调用次数限额"), OutcomeQuota, Credential},
		"a day with a wait":              {text(429, "Requests per day limit exceeded. Try again in 12s."), OutcomeRateLimited, Model},
		"a quota that comes in 20 hours": {text(429, "Your quota is exhausted. It will reset in 20 hours."), OutcomeQuota, Credential},
		"a rate that comes in 20 hours":  {text(429, "You hit a rate limit. Please try again in 20 hours."), OutcomeRateLimited, Credential},
		"a minute that sells a day":      {text(429, "Rate limit exceeded: free-requests-per-min. Add 10 credits to unlock 1000 requests per day"), OutcomeRateLimited, Model},
		"a rate that sells a month":      {text(429, "Rate limit reached. Upgrade to the monthly plan for more."), OutcomeRateLimited, Credential},
		"both, with numbers":             {text(429, "You exceeded 20 requests per minute or 500 requests per day."), OutcomeRateLimited, Model},
		"a minute or a day":              {text(429, "You exceeded the per-minute or per-day request cap."), OutcomeRateLimited, Credential},

		// An account that cannot pay.
		"overdue":                     {answer(429, `{"code":"PrepaidBillOverdue","message":"The prepaid bill is overdue."}`), OutcomeQuota, Credential},
		"nothing left":                {text(403, "Your prepaid balance has been exhausted."), OutcomeQuota, Credential},
		"credits ran out":             {text(429, "Your workspace has run out of inference credits."), OutcomeQuota, Credential},
		"a free quota":                {text(403, "The free tier of the model has been exhausted."), OutcomeQuota, Model},
		"a gateway's volume":          {text(403, "Out of call volume quota. Quota will be replenished in 00:12:34."), OutcomeQuota, Credential},
		"a rate that sells credits":   {text(429, "Rate limit exceeded, please try again. Add credits to raise your limit."), OutcomeRateLimited, Credential},
		"a minute's credits":          {text(429, "You have exceeded 20 credits, the limit of requests per minute of this model."), OutcomeRateLimited, Model},
		"a prompt about an overdraft": {text(400, "Invalid value for 'messages[0].content': expected an array but got 'my account is overdue'."), OutcomeRejected, Request},

		// A link says whose code it is.
		"a link to the page of a rate": {answer(429, `{"error":{"message":"Quota exceeded, see https://docs.example.com/errors#rate-limit-exceeded","code":"insufficient_quota"}}`), OutcomeRateLimited, Credential},
		"a link without an anchor":     {answer(429, `{"error":{"message":"You exceeded your current quota. See https://www.alibabacloud.com/help/en/model-studio/error-code","code":"insufficient_quota"}}`), OutcomeRateLimited, Model},
		"a link to what is overdue":    {answer(429, `{"error":{"message":"You exceeded your current quota. See https://help.aliyun.com/zh/model-studio/error-code#overdue-payment","code":"insufficient_quota"}}`), OutcomeQuota, Credential},
		"what is free, with a link":    {answer(429, `{"error":{"message":"Free allocated quota exceeded. See https://help.aliyun.com/zh/model-studio/error-code#token-limit","code":"insufficient_quota"}}`), OutcomeQuota, Model},
		"OpenAI's own link":            {answer(429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.","type":"insufficient_quota","code":"insufficient_quota"}}`), OutcomeQuota, Credential},
		"OpenAI's link about rates":    {answer(429, `{"error":{"message":"You exceeded your current quota. See https://platform.openai.com/docs/guides/rate-limits#rate-limits","code":"insufficient_quota"}}`), OutcomeQuota, Credential},

		"a quota's code, a rate's text": {answer(429, `{"error":{"message":"Rate limit exceeded","type":"invalid_request_error","code":"insufficient_quota"}}`), OutcomeRateLimited, Credential},

		// No room for more.
		"files":                 {answer(429, googleRefusal("FileStorageBytesPerProject", "21474836480", "")), OutcomeQuota, Request},
		"a disk":                {text(429, "Your organization has exceeded its storage limit of 100 GB."), OutcomeQuota, Request},
		"how many files":        {text(429, "The maximum number of vector stores has been reached."), OutcomeQuota, Request},
		"OpenAI's files":        {answer(429, `{"error":{"message":"You have reached the maximum storage of 100 GB for your organization. Delete files to upload more.","type":"invalid_request_error","param":null,"code":"storage_limit_exceeded"}}`), OutcomeQuota, Request},
		"a store by its code":   {answer(429, `{"error":{"message":"No.","code":"project_storage_quota_exceeded"}}`), OutcomeQuota, Request},
		"a cache":               {answer(429, `{"error":{"code":429,"message":"TotalCachedContentStorageTokensPerModelFreeTier limit exceeded for model gemini-1.5-flash: limit=0, requested=32769","status":"RESOURCE_EXHAUSTED"}}`), OutcomeQuota, Request},
		"a rate of a store":     {text(429, "Rate limit exceeded for the storage API."), OutcomeRateLimited, Credential},
		"requests of a store":   {text(429, "You have reached the maximum number of storage requests per minute."), OutcomeRateLimited, Model},
		"tokens, not what lies": {answer(429, googleRefusal("GenerateContentInputTokensPerModelPerMinute", "250000", "7s")), OutcomeRateLimited, Model},

		// A limit of zero.
		"zero, Google":                 {answer(429, `{"error":{"code":429,"message":"GenerateRequestsPerModelFreeTier limit exceeded for model m: limit=0, requested=1","status":"RESOURCE_EXHAUSTED"}}`), OutcomeQuota, Model},
		"zero, OpenAI":                 {text(429, "Rate limit reached for gpt-4 on requests per min. Limit: 0 / min."), OutcomeEntitlement, Request},
		"zero, with a cost":            {text(429, "Model m has a token limit of 0, requested 812."), OutcomeEntitlement, Model},
		"zero, in a word":              {text(429, "Your request limit is zero for this model."), OutcomeEntitlement, Model},
		"a number that begins so":      {text(429, "Rate limit: 0.5 requests per second."), OutcomeRateLimited, Model},
		"zero remain":                  {text(429, "Too many requests. Remaining limit: 0"), OutcomeRateLimited, Credential},
		"zero remain, with a wait":     {text(429, "Rate limit 0, try again in 3s."), OutcomeRateLimited, Credential},
		"zero, with a cost and a wait": {text(429, "Rate limit reached: Limit 0, Used 0, Requested 1. Please try again in 1ms."), OutcomeRateLimited, Credential},
		"zero of something else":       {text(429, "Rate limit exceeded, x-ratelimit-limit: 0"), OutcomeRateLimited, Credential},
		"a limit that begins with 0":   {text(429, "Rate limit of 050 per minute exceeded."), OutcomeRateLimited, Credential},

		// Capacity.
		"a queue":                    {answer(429, `{"message":"x","param":"queue","code":"queue_exceeded"}`), OutcomeOverloaded, Model},
		"slots":                      {text(503, "No slot available"), OutcomeOverloaded, Upstream},
		"a worker":                   {text(503, "ResourceExhausted: Worker local total request limit reached (16/16)"), OutcomeOverloaded, Model},
		"full capacity":              {text(429, "Infrastructure is at maximum capacity, try again later"), OutcomeOverloaded, Upstream},
		"a model's servers":          {text(429, "The model is currently unavailable due to heavy load"), OutcomeOverloaded, Model},
		"its own limit of parallels": {text(429, "You have reached the limit of 4 concurrent requests."), OutcomeRateLimited, Credential},
		"somebody else's limit":      {text(503, "Rate limited by upstream, please retry."), OutcomeOverloaded, Upstream},
		"the caller's limit there":   {answer(429, `{"error":{"message":"Rate limited by upstream.","metadata":{"is_byok":true,"provider_name":"X"}}}`), OutcomeRateLimited, Credential},
		"its own volume":             {text(429, "You are sending a high volume of requests."), OutcomeRateLimited, Credential},
		"a burst":                    {text(429, "Request rate increased too quickly."), OutcomeSlowDown, Model},
		"a burst by its code":        {answer(429, `{"error":{"code":"RequestBurstTooFast","message":"x"}}`), OutcomeSlowDown, Model},

		// Access.
		"a form":                     {text(404, "Model use case details have not been submitted for this account."), OutcomeEntitlement, Model},
		"terms":                      {text(403, "User has not agreed to the terms of this model."), OutcomeEntitlement, Model},
		"an organization":            {text(403, "The inference gateway is not enabled for your organization"), OutcomeEntitlement, Credential},
		"a model that is gone":       {text(404, "This model version has reached the end of its life."), OutcomeModel, Model},
		"a model that nobody loaded": {text(400, "No models loaded. Please load a model first."), OutcomeModel, Model},
		"a key that has expired":     {text(403, "Your API key has expired."), OutcomeCredential, Credential},
		"a token of text":            {text(400, "Invalid token at position 12."), OutcomeRejected, Request},
		"a key in a prompt":          {text(400, "Invalid value for 'messages[0].content': expected an array but got 'is my API key invalid?'."), OutcomeRejected, Request},

		// Size.
		"too long":              {text(400, "Input is too long for requested model."), OutcomeNeverFits, Request},
		"more than the most":    {text(422, "inputs tokens + max_new_tokens must be <= 4096. Given: 5000 inputs tokens"), OutcomeNeverFits, Request},
		"too many for a minute": {text(429, "Too many input tokens per minute."), OutcomeRateLimited, Model},
		"too few":               {text(400, "max_tokens must be at least 16 for this model."), OutcomeRejected, Request},
		"longer than a time":    {text(504, "The request took longer than 60 s."), OutcomeTimeout, Upstream},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Classify(tt.in)
			if v.Outcome != tt.outcome || v.Scope != tt.scope {
				t.Errorf("rule %s: got %v of %v, want %v of %v", v.Rule, v.Outcome, v.Scope, tt.outcome, tt.scope)
			}
		})
	}
}

// TestARefusalInChineseNamesItsWait: the time stands before what happens then.
func TestARefusalInChineseNamesItsWait(t *testing.T) {
	for body, want := range map[string]string{
		"请求过于频繁，请在 5 秒后重试":               "5s",
		"请等待 2 分钟":                       "2m0s",
		"您的限额将在 2026-02-01 20:00:30 重置。": "30s",
		"已使用 5 秒音频":                      "0s",
	} {
		wait, at := hint.InText(body, testNow)
		if !at.IsZero() {
			wait = at.Sub(testNow)
		}
		if wait.String() != want {
			t.Errorf("%s: got %v, want %s", body, wait, want)
		}
	}
}
