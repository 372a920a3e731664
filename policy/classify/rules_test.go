package classify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strings"
	"testing"
	"time"

	"outrigger/policy/endpoint"
)

// testNow is when every attempt of the tables happens.
var testNow = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// answer is an attempt of a compute that got an answer. Headers are "Name: value" lines.
func answer(status int, body string, headers ...string) Attempt {
	h := http.Header{}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return Attempt{
		Status: status, Header: h, Body: []byte(body),
		Progress: Answered, Effect: endpoint.Compute, Now: testNow,
	}
}

// event is an attempt whose stream began with this event.
func event(name, data string) Attempt {
	a := answer(200, data, "Content-Type: text/event-stream")
	a.Stream, a.Event = true, name
	return a
}

// failing is an attempt that got no answer.
func failing(f Failure, p Progress, e endpoint.Effect) Attempt {
	return Attempt{Failure: f, Progress: p, Effect: e, Now: testNow}
}

// of returns the attempt with another effect.
func (a Attempt) of(e endpoint.Effect) Attempt {
	a.Effect = e
	return a
}

// ruleTable holds at least one attempt for every row. Keys are the row's name and a variant.
// The wanted verdicts have neither Rule nor Error: the key is the rule, and
// parse_test.go is about errors.
var ruleTable = map[string]struct {
	in   Attempt
	want Verdict
}{
	"canceled": {failing(Canceled, Sent, endpoint.Create), Verdict{Outcome: OutcomeCanceled, Breaker: Ignore}},
	"starved": {
		failing(Starved, NotSent, endpoint.Create),
		Verdict{Outcome: OutcomeStarved, Repeat: Backoff, Breaker: Ignore},
	},
	"unreachable": {
		failing(Unreachable, NotSent, endpoint.Create),
		Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Repeat: Backoff, Breaker: Fault},
	},
	"not_processed": {
		failing(Refused, Sent, endpoint.Create),
		Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Repeat: Backoff, Breaker: Fault},
	},
	"timeout": {
		failing(Timeout, Sent, endpoint.Compute),
		Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Fault},
	},
	"never_left": {
		failing(Broke, NotSent, endpoint.Create),
		Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Repeat: Backoff, Breaker: Fault},
	},
	"broke": {
		failing(Broke, Answered, endpoint.Compute),
		Verdict{Outcome: OutcomeBroke, Scope: Upstream, Repeat: Backoff, Breaker: Fault},
	},
	"unusable": {
		failing(TooLarge, Answered, endpoint.Compute),
		Verdict{Outcome: OutcomeBroke, Scope: Upstream, Repeat: Once, Breaker: Fault},
	},
	"malformed": {
		failing(Malformed, Sent, endpoint.Compute),
		Verdict{Outcome: OutcomeBroke, Scope: Upstream, Breaker: Ignore},
	},
	"malformed/create": {
		failing(Malformed, Sent, endpoint.Create),
		Verdict{Outcome: OutcomeBroke, Scope: Upstream, Breaker: Ignore},
	},
	"failed_choice": {
		answer(200, `{"id":"x","object":"chat.completion","choices":[{"message":{"content":"half"},"finish_reason":"error","error":{"code":502,"message":"gone"}}]}`),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Breaker: Fault, Status: 200},
	},
	"failed_choice/deepseek": {
		answer(200, `{"id":"x","choices":[{"message":{"content":""},"finish_reason":"insufficient_system_resource"}]}`),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Breaker: Fault, Status: 200},
	},
	"unaffordable": {
		answer(402, `{"error":{"code":402,"message":"You requested up to 2000 tokens, but can only afford 500."}}`, "Retry-After: 5"),
		Verdict{Outcome: OutcomeNeverFits, Wait: 5 * time.Second, HintFalse: true, Status: 402},
	},
	"budget_in_flight": {
		answer(402, `{"error":{"code":402,"message":"x","metadata":{"reason":"in_flight_budget_exhausted","limit_source":"openrouter_in_flight_budget"}}}`),
		Verdict{Proven: true, Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause, Status: 402},
	},
	"budget_in_flight/by header": {
		answer(402, `{"error":{"code":402,"message":"x"}}`, "Retry-After: 3"),
		Verdict{Proven: true, Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause, Wait: 3 * time.Second, Status: 402},
	},
	"payment_required": {
		answer(402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 402},
	},
	"missing_scope": {
		answer(401, `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read.","type":"invalid_request_error","code":null}}`),
		Verdict{Outcome: OutcomeRejected, Status: 401},
	},
	"missing_scope/with an authentication type": {
		answer(403, `{"error":{"message":"x","type":"authentication_error","code":"missing_scope"}}`),
		Verdict{Outcome: OutcomeRejected, Status: 403},
	},
	"auth_backend": {
		answer(401, `{"error":{"message":"Internal server error","type":"auth_subrequest_error","code":"internal_error"}}`),
		Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Once, Breaker: Fault, Status: 401},
	},
	"billing_code": {
		answer(429, `{"error":{"message":"x","type":"insufficient_quota","code":"project_spend_limit_exceeded"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 429},
	},
	"billing_code/in Anthropic's details": {
		answer(429, `{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 429},
	},
	"billing_code/with the instant of its end": {
		answer(429, `{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_at":1770000000}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Until: time.Unix(1770000000, 0).UTC(), Status: 429},
	},
	"billing_code/OpenRouter's spent key": {
		answer(403, `{"error":{"code":403,"message":"x","metadata":{"limit_source":"openrouter_key_limit","resets_at":"2026-03-01T00:00:00Z"}}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Until: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Status: 403},
	},
	"credential_code": {
		answer(400, `[{"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]`),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true, Status: 400},
	},
	"credential_code/in an event under 200": {
		event("error", `{"code":"InvalidApiKey","message":"Invalid API-key provided."}`),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true, Status: 401},
	},
	"zero_limit": {
		answer(429, `{"error":{"message":"Rate limit reached for gpt-4 on requests per min. Limit: 0 / min."}}`),
		Verdict{Outcome: OutcomeEntitlement, Status: 429},
	},
	"google_spent": {
		answer(429, `{"error":{"code":429,"message":"x, limit: 0, model: m\nPlease retry in 2.1s.","status":"RESOURCE_EXHAUSTED"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true, Wait: 2100 * time.Millisecond, HintFalse: true, Status: 429},
	},
	"google_spent/by a quota per day": {
		answer(429, googleRefusal("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "50", "38s")),
		Verdict{
			Outcome: OutcomeQuota, Scope: Model, Trip: true, Wait: 38 * time.Second, HintFalse: true, Status: 429,
			Limit: Limits{Dimension: "requests", Limit: 50, Window: 24 * time.Hour},
		},
	},
	"google_quota": {
		answer(429, `{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true, Status: 429},
	},
	"current_quota": {
		answer(429, `You exceeded your current quota, please check your plan and billing details.`, "Retry-After: 1"),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Wait: time.Second, Status: 429},
	},
	"current_quota/of the provider behind": {
		answer(429, `{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"You exceeded your current quota","provider_name":"OpenAI"}}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true, Status: 429},
	},
	"billing_text": {
		answer(429, `{"code":"Some resource has been exhausted","error":"Your team x has either used all available credits or reached its monthly spending limit."}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 429},
	},
	"billing_text/suspended": {
		answer(412, `{"error":{"message":"Account x is suspended, possibly due to failure to pay past invoices.","code":"PRECONDITION_FAILED"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Status: 412},
	},
	"billing_text/Anthropic's instant": {
		answer(400, `{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-09-01 at 00:00 UTC."}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Until: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Status: 400},
	},
	"credential_text": {
		answer(400, `{"code":"Client specified an invalid argument","error":"Incorrect API key provided: ab***yz."}`),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Status: 400},
	},
	"named_debt": {
		answer(403, `{"errors":[{"code":"token_quota_reached","message":"x"}]}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 403},
	},
	"named_key": {
		answer(403, `{"error":{"code":"KeyDisabled","message":"x"}}`),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true, Status: 403},
	},
	"region_named": {
		answer(403, `{"type":"error","error":{"type":"RegionError","message":"x"}}`),
		Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore, Status: 403},
	},
	"free_models_per_day": {
		answer(429, `{"error":{"message":"Rate limit exceeded: free-models-per-day.","code":429}}`),
		Verdict{
			Outcome: OutcomeQuota, Scope: Model, Trip: true, Status: 429,
			Limit: Limits{Window: 24 * time.Hour},
		},
	},
	"never_fits": {
		answer(500, `{"error":{"code":500,"message":"x","type":"exceed_context_size_error"}}`),
		Verdict{Outcome: OutcomeNeverFits, Status: 500},
	},
	"never_fits/a page of a web server": {
		answer(413, `<html><head><title>413 Request Entity Too Large</title></head></html>`),
		Verdict{Outcome: OutcomeNeverFits, Status: 413},
	},
	"never_fits/costs more than the limit": {
		answer(429, `{"error":{"message":"Rate limit reached for m on tokens per minute (TPM): Limit 7000, Used 0, Requested ~12903. Please try again in 50.597142857s.","type":"tokens","code":"rate_limit_exceeded"}}`),
		Verdict{
			Outcome: OutcomeNeverFits, Wait: 50597142857 * time.Nanosecond, HintFalse: true, Status: 429,
			Limit: Limits{Dimension: "tokens", Limit: 7000, Requested: 12903, Window: time.Minute},
		},
	},
	"region": {
		answer(400, `[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]`),
		Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore, Status: 400},
	},
	"region/error is a bare string": {
		answer(403, `{"error":"Country, region, or territory not supported"}`),
		Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore, Status: 403},
	},
	"region/blocked at the edge": {
		answer(403, `error code: 1020`),
		Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore, Status: 403},
	},
	"model_forbidden": {
		answer(403, "{\"error\":{\"message\":\"Project `p` does not have access to model `m`\",\"code\":\"model_not_found\"}}"),
		Verdict{Outcome: OutcomeModel, Scope: Model, Trip: true, Status: 403},
	},
	"model_unknown": {
		answer(404, `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`),
		Verdict{Outcome: OutcomeModel, Scope: Model, Status: 404},
	},
	"model_unknown/not retryable": {
		answer(404, `{"error":{"message":"x","availability":{"code":"y","retryable":false}}}`),
		Verdict{Outcome: OutcomeModel, Scope: Model, Status: 404},
	},
	"model_unknown/by its text": {
		answer(400, `{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}`),
		Verdict{Outcome: OutcomeModel, Scope: Model, Status: 400},
	},
	"unauthorized": {
		answer(401, ``),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true, Status: 401},
	},
	"long_outage": {
		answer(503, `{"error":{"message":"The engine is currently overloaded"}}`, "Retry-After: 121"),
		Verdict{Outcome: OutcomeFailed, Scope: Upstream, Breaker: Fault, Wait: 121 * time.Second, Status: 503},
	},
	"model_overloaded": {
		answer(429, `{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","code":"3505"}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"tier_busy": {
		answer(429, `{"error":{"message":"Flex is temporarily unavailable","type":"resource_unavailable","param":null,"code":"resource_unavailable"}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Ignore, Status: 429},
	},
	"tier_busy/groq": {
		answer(498, `{"error":{"message":"Flex tier capacity exceeded","code":"capacity_exceeded"}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Ignore, Status: 498},
	},
	"entitlement": {
		answer(429, `{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."},"request_id":"req_x"}`),
		Verdict{Outcome: OutcomeEntitlement, Status: 429},
	},
	"entitlement/first event of a stream": {
		event("error", `{"type":"error","error":{"type":"rate_limit_error","message":"Extra usage is required for long context requests."}}`),
		Verdict{Outcome: OutcomeEntitlement, Status: 429},
	},
	"loading": {
		answer(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`),
		Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore, Status: 503},
	},
	"loading/with an estimate": {
		answer(503, `{"error":"Model meta-llama/Llama-2-70b-chat is currently loading","estimated_time":20.0}`),
		Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore, Wait: 20 * time.Second, Status: 503},
	},
	"loading_unsure": {
		answer(502, `{"error":"worker is starting up"}`),
		Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore, Status: 502},
	},
	"loading_unsure/a create that may have been carried out": {
		answer(502, `{"error":"worker is starting up"}`).of(endpoint.Create),
		Verdict{Outcome: OutcomeLoading, Scope: Model, Breaker: Ignore, Ambiguous: true, Status: 502},
	},
	"loading/a create that was not begun": {
		answer(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`).of(endpoint.Create),
		Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore, Status: 503},
	},
	"model_overloaded/a provider's pool": {
		answer(429, `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"error code: 1015","provider_name":"Kluster","is_byok":false}}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"server_busy": {
		answer(503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`),
		Verdict{Proven: true, Outcome: OutcomeSlowDown, Scope: Upstream, Repeat: Pause, Limiter: LimiterSlowDown, Status: 503},
	},
	"slow_down": {
		answer(429, `{"error":{"message":"x","type":"rate_limit_error","code":"slow_down"}}`, "Retry-After: 10"),
		Verdict{Proven: true, Outcome: OutcomeSlowDown, Scope: Model, Repeat: Pause, Limiter: LimiterSlowDown, Wait: 10 * time.Second, Status: 429},
	},
	"slow_down/as it was sent before": {
		answer(503, `{"error":{"message":"Slow Down","type":"server_error"}}`),
		Verdict{Proven: true, Outcome: OutcomeSlowDown, Scope: Model, Repeat: Pause, Limiter: LimiterSlowDown, Status: 503},
	},
	"overloaded": {
		answer(429, `{"error":{"message":"That model is currently overloaded with other requests.","type":"server_error"}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"rate_limited": {
		answer(429, `Too Many Requests`, "Retry-After: 2"),
		Verdict{Proven: true, Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause, Wait: 2 * time.Second, Status: 429},
	},
	"rate_limited/of a provider whose key the caller brought": {
		answer(429, `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"Please try again in 3s.","provider_name":"OpenAI","is_byok":true}}}`),
		Verdict{Proven: true, Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause, Wait: 3 * time.Second, Status: 429},
	},
	"rate_limited/day limit of long wait": {
		answer(429, `{"error":{"message":"Rate limit reached for m on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.","type":"tokens","code":"rate_limit_exceeded"}}`),
		Verdict{
			Proven:  true,
			Outcome: OutcomeRateLimited, Scope: Model, Repeat: Pause, Limiter: LimiterPause, Wait: 578016 * time.Millisecond, Status: 429,
			Limit: Limits{Dimension: "tokens", Limit: 100000, Used: 97050, Requested: 3619, Window: 24 * time.Hour},
		},
	},
	"allowance_used": {
		answer(429, `{"message":"Tokens per day limit exceeded - too many tokens processed.","type":"too_many_tokens_error","code":"token_quota_exceeded"}`),
		Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true, Status: 429, Limit: Limits{Dimension: "tokens", Window: 24 * time.Hour}},
	},
	"allowance_used/of the account": {
		answer(429, `{"errors":[{"message":"you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan if you would like to continue usage.","code":4006}],"success":false,"result":{},"messages":[]}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 429, Limit: Limits{Window: 24 * time.Hour}},
	},
	"nothing_left": {
		answer(402, `{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 0.","code":402}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 402},
	},
	"priced_too_large": {
		answer(402, `{"error":{"message":"Prompt tokens limit exceeded: 69120 > 36608. To increase, upgrade to a paid account","code":402}}`),
		Verdict{Outcome: OutcomeNeverFits, Status: 402},
	},
	"throttle_page": {
		answer(429, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit","type":"insufficient_quota","code":"insufficient_quota"}}`),
		Verdict{Outcome: OutcomeRateLimited, Scope: Model, Repeat: Pause, Limiter: LimiterPause, Proven: true, Status: 429},
	},
	"store_full": {
		answer(429, `{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaMetric":"generativelanguage.googleapis.com/file_storage_bytes","quotaId":"FileStorageBytesPerProject","quotaValue":"21474836480"}]}]}}`),
		Verdict{Outcome: OutcomeQuota, Status: 429},
	},
	"in_debt": {
		answer(400, `{"error":{"code":"Arrearage","message":"Access denied, please make sure your account is in good standing.","type":"Arrearage"}}`),
		Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true, Status: 400},
	},
	"dead_key_text": {
		answer(403, `{"message":"The security token included in the request is invalid."}`),
		Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true, Status: 403},
	},
	"not_let": {
		answer(403, `{"code":"Model.AccessDenied","message":"Model access denied."}`),
		Verdict{Outcome: OutcomeEntitlement, Scope: Model, Status: 403},
	},
	"service_quota": {
		answer(400, `{"message":"Your request exceeds the service quota for your account. You can resubmit your request later."}`),
		Verdict{Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Backoff, Proven: true, Status: 400},
	},
	"model_failed": {
		answer(424, `{"message":"The request failed due to an error while processing the model."}`),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Once, Breaker: Fault, Status: 424},
	},
	"timeout_told": {
		answer(500, `{"code":"RequestTimeOut","message":"Request timed out, please try again later."}`),
		Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 500},
	},
	"model_crashed": {
		answer(500, `{"error":"llama runner process has terminated: exit status 2"}`),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 500},
	},
	"output_blocked": {
		answer(498, `{"message":"The output was blocked."}`),
		Verdict{Outcome: OutcomeRejected, Status: 498},
	},
	"crowded": {
		answer(429, `{"errors":[{"message":"AiError: No more data centers to forward the request to","code":3040}],"success":false}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"crowded/Cerebras's queue": {
		answer(429, `{"message":"We're experiencing high traffic right now! Please try again soon.","type":"too_many_requests_error","param":"queue","code":"queue_exceeded"}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"provider_limited": {
		answer(429, `{"error":{"message":"Error from provider (Console Go): Provider rate limit exceeded","type":"rate_limit_error"}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 429},
	},
	"rate_limited/Azure's day that means never": {
		answer(429, `{"error":{"code":"429","message":"Requests have exceeded token rate limit of your tier. Please retry after 86400 seconds."}}`, "Retry-After: 86400"),
		Verdict{
			Proven:  true,
			Outcome: OutcomeRateLimited, Scope: Model, Repeat: Pause, Limiter: LimiterPause, Wait: 24 * time.Hour, HintFalse: true, Status: 429,
			Limit: Limits{Dimension: "tokens"},
		},
	},
	"rate_limited/a code on another status": {
		answer(400, `{"error":{"message":"x","code":"rate_limit_error","type":"invalid_request_error"}}`),
		Verdict{Proven: true, Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause, Status: 400},
	},
	"rate_limited/proven by RetryInfo": {
		answer(429, googleRefusal("GenerateContentInputTokensPerModelPerMinute-FreeTier", "250000", "26s")),
		Verdict{
			Proven:  true,
			Outcome: OutcomeRateLimited, Scope: Model, Repeat: Pause, Limiter: LimiterPause, Wait: 26 * time.Second, Status: 429,
			Limit: Limits{Dimension: "input_tokens", Limit: 250000, Window: time.Minute},
		},
	},
	"request_timeout": {
		answer(408, `{"error":{"code":"Timeout","message":"The operation was timeout."}}`),
		Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Ignore, Status: 408},
	},
	"key_of_another": {
		answer(409, `{"error":{"message":"This Idempotency-Key was used with a different request body.","code":"idempotency_mismatch"}}`, "Retry-After: 2"),
		Verdict{Outcome: OutcomeRejected, Status: 409, Wait: 2 * time.Second},
	},
	"still_running": {
		answer(409, `{"error":{"message":"busy","code":"idempotency_in_progress"}}`, "Retry-After: 2"),
		Verdict{Outcome: OutcomeFailed, Repeat: Rejoin, Status: 409, Wait: 2 * time.Second},
	},
	"still_running/create": {
		answer(409, `{"code":"concurrent_request"}`).of(endpoint.Create),
		Verdict{Outcome: OutcomeFailed, Repeat: Rejoin, Status: 409},
	},
	"conflict": {
		answer(409, `{"error":{"message":"x","code":"conversation_locked"}}`).of(endpoint.Create),
		Verdict{Outcome: OutcomeFailed, Repeat: Backoff, Status: 409},
	},
	"conflict/too early": {answer(425, ``), Verdict{Outcome: OutcomeFailed, Repeat: Backoff, Status: 425}},
	"client_closed":      {answer(499, ``), Verdict{Outcome: OutcomeCanceled, Breaker: Ignore, Status: 499}},
	"may_pass": {
		answer(404, `{"error":{"message":"x","availability":{"code":"y","retryable":true,"retry_after":2.5}}}`),
		Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault, Wait: 2500 * time.Millisecond, Status: 404},
	},
	"invalid_output": {
		answer(500, `{"error":{"message":"x","type":"server_error","code":"invalid_model_output"}}`),
		Verdict{Outcome: OutcomeFailed, Repeat: Once, Breaker: Ignore, Status: 500},
	},
	"inference_unreached": {
		answer(502, `{"error":{"message":"Failed to reach the model inference layer.","type":"bad_gateway","code":null}}`).of(endpoint.Create),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 502},
	},
	"provider_failed": {
		answer(502, `{"error":{"code":502,"message":"Provider returned error"}}`),
		Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Backoff, Breaker: Fault, Status: 502},
	},
	"gateway_timeout_compute": {
		answer(504, `{"error":{"message":"x","type":"gateway_timeout"}}`),
		Verdict{Outcome: OutcomeTimeout, Scope: Model, Repeat: Once, Breaker: Fault, Status: 504},
	},
	"gateway_timeout": {
		answer(524, `error code: 524`).of(endpoint.Read),
		Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 524},
	},
	"not_implemented": {answer(501, ``), Verdict{Outcome: OutcomeRejected, Scope: Upstream, Breaker: Ignore, Status: 501}},
	"server_error": {
		answer(502, `<html><title>502 Bad Gateway</title></html>`),
		Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 502},
	},
	"server_error/at the limit of what is waited for": {
		answer(503, ``, "Retry-After: 120"),
		Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Wait: 2 * time.Minute, Status: 503},
	},
	"other_rejection": {
		answer(403, `{"error":{"message":"Your chosen model requires moderation and your input was flagged.","code":403,"metadata":{"provider_name":"X"}}}`),
		Verdict{Outcome: OutcomeRejected, Status: 403},
	},
	"unknown": {
		answer(600, ``),
		Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Backoff, Breaker: Fault, Status: 600},
	},
	"ok": {answer(200, `{"id":"x","choices":[]}`), Verdict{Status: 200}},
}

// googleRefusal is Gemini's 429 with a quota's id and value, and RetryInfo.
func googleRefusal(id, value, delay string) string {
	return `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.",` +
		`"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure",` +
		`"violations":[{"quotaId":"` + id + `","quotaValue":"` + value + `"}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + delay + `"}]}}]`
}

func TestEachRuleDecidesWhatItIsFor(t *testing.T) {
	for key, tt := range ruleTable {
		t.Run(key, func(t *testing.T) {
			got := Classify(tt.in)
			got.Error = ErrorFields{}
			want := tt.want
			want.Rule, _, _ = strings.Cut(key, "/")
			if got != want {
				t.Errorf("got\n%+v, want\n%+v", got, want)
			}
		})
	}
}

// evidence returns the comment above each row of the table, by the row's name.
func evidence(t *testing.T) map[string]string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "rules.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	above := map[int]string{} // by the line behind it
	for _, group := range file.Comments {
		above[set.Position(group.End()).Line+1] = strings.TrimSpace(group.Text())
	}
	said := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || len(row.Elts) == 0 {
			return true
		}
		field, ok := row.Elts[0].(*ast.KeyValueExpr)
		if !ok {
			return true // the table itself
		}
		switch name := field.Value.(type) {
		case *ast.BasicLit:
			said[strings.Trim(name.Value, `"`)] = above[set.Position(row.Pos()).Line]
		case *ast.Ident:
			said[ruleOtherRejection] = above[set.Position(row.Pos()).Line]
		}
		return false
	})
	for name, text := range said {
		if strings.HasPrefix(text, "#") { // a section's title
			said[name] = ""
		}
	}
	return said
}

func TestEveryRuleHasATestAndEvidence(t *testing.T) {
	said := evidence(t)
	seen := map[string]bool{}
	for i := range rules {
		if seen[rules[i].name] {
			t.Errorf("two rules are called %s", rules[i].name)
		}
		seen[rules[i].name] = true
		if said[rules[i].name] == "" {
			t.Errorf("no comment above rule %s says who sends it", rules[i].name)
		}
		if _, ok := ruleTable[rules[i].name]; !ok {
			t.Errorf("rule %s has no case", rules[i].name)
		}
	}
}
