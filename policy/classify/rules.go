package classify

import (
	"net/http"

	"outrigger/policy/endpoint"
)

// rules is the table. The first match decides, so the order is part of the meaning: bodies before statuses, never before maybe.
var rules = []rule{
	// No answer, or half of one.
	{
		name: "canceled", then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore},
		match:    failure(Canceled),
		evidence: "the caller left: says nothing about the upstream (sony/gobreaker IsExcluded)",
	},
	{
		name: "unreachable", then: unreached,
		match:    failure(Unreachable),
		evidence: "dial, DNS or TLS failed: nothing was sent",
	},
	{
		name: "not_processed", then: unreached,
		match:    failure(Refused),
		evidence: "RFC 9113, sections 6.8 and 8.7: REFUSED_STREAM and streams above GOAWAY's were not processed",
	},
	{
		name: "timeout", then: timedOut,
		match:    failure(Timeout),
		evidence: "the attempt's own time ran out; whether the request was carried out depends on how far it got",
	},
	{
		name: "never_left", then: unreached,
		match:    all(failure(Broke), unsent),
		evidence: "golang/go#22158: a kept connection was closed before the request was written",
	},
	{
		name: "broke", then: broken,
		match:    failure(Broke),
		evidence: "golang/go#22158: reset or EOF after the request was written proves nothing",
	},
	{
		name: "unusable", then: once(broken),
		match:    failure(TooLarge),
		evidence: "an answer that cannot be read is likely to come again",
	},
	{
		name: "malformed", then: Verdict{Outcome: OutcomeBroke, Scope: Upstream, Breaker: Ignore},
		match:    failure(Malformed),
		evidence: "an answer with Transfer-Encoding: chunked twice (maximhq/bifrost) comes from what stands there, and comes again",
	},
	{
		name: "failed_choice", then: Verdict{Outcome: OutcomeFailed, Scope: Model, Breaker: Fault}, asSent: true,
		match:    partialAnswer,
		evidence: "OpenRouter 200 with finish_reason error: the part that came is billed, so the caller decides",
	},
	// Money and keys.
	{
		name: "nothing_left", then: unpaid,
		match:    all(status(http.StatusPaymentRequired), canAffordNone),
		evidence: "OpenRouter 402 \"can only afford 0\": the key's own limit is used up, so no smaller request passes either",
	},
	{
		name: "priced_too_large", then: neverFits, hintFalse: true,
		match:    all(status(http.StatusPaymentRequired), oversized),
		evidence: "OpenRouter 402 \"Prompt tokens limit exceeded: 69120 > 36608\": a smaller request passes",
	},
	{
		name: "unaffordable", then: neverFits, hintFalse: true,
		match:    all(status(http.StatusPaymentRequired), either(codePart("weight_exceeds_budget"), saysItself("can only afford"))),
		evidence: "OpenRouter: this request costs more than is left, a smaller one may pass (openrouter.ai/docs/api/errors)",
	},
	{
		name: "budget_in_flight", then: limited,
		match:    all(status(http.StatusPaymentRequired), either(codePart("in_flight_budget"), retryAfterSent)),
		evidence: "OpenRouter: in_flight_budget_exhausted comes with Retry-After and passes (openrouter.ai/docs/api/errors)",
	},
	{
		name: "payment_required", then: unpaid,
		match:    status(http.StatusPaymentRequired),
		evidence: "DeepSeek sends code invalid_request_error with it, Copilot quota_exceeded: the status wins (continuedev/continue#9942)",
	},
	{
		name: "missing_scope", then: rejected,
		match:    all(status(401, 403), either(codePart("missing_scope"), saysItself(scopePhrases...))),
		evidence: "OpenAI: a restricted key on another endpoint (microsoft/PowerToys#32989, bytedance/trae-agent#162)",
	},
	{
		name: "auth_backend", then: once(failed),
		match:    all(status(401), codePart("auth_subrequest_error")),
		evidence: "OpenAI: its own authentication failed, not the key",
	},
	{
		name: "throttle_page", then: limited, scope: bucketScope,
		match:    throttlePage,
		evidence: "DashScope sends OpenAI's insufficient_quota for its tokens per minute and links to …/error-code#token-limit (can1357/oh-my-pi#8496)",
	},
	{
		name: "billing_code", then: unpaid, scope: debtScope,
		match:    code(billingCodes),
		evidence: "see billingCodes; OpenAI's type stays insufficient_quota while its codes change (help.openai.com 6614457)",
	},
	{
		name: "free_models_per_day", then: spent, hintFalse: true,
		match:    saysItself("free-models-per-day"),
		evidence: "OpenRouter: one daily allowance for all free models (openclaw/openclaw#147546)",
	},
	// What cannot succeed.
	{
		name: "allowance_used", then: spent, scope: usedScope,
		match:    used,
		evidence: "Bedrock 429 \"Too many tokens per day\", Cloudflare 4006 (diegosouzapw/OmniRoute#6980), Cerebras per day, Gemini CLI: an allowance for hours or longer whose end nobody waits for",
	},
	{
		name: "credential_code", then: deadKey,
		match:    code(credentialCodes),
		evidence: "see credentialCodes; Google sends API_KEY_INVALID as 400",
	},
	{
		name: "store_full", then: Verdict{Outcome: OutcomeQuota},
		match:    full,
		evidence: "Gemini 429 FileStorageBytesPerProject on uploads (alphaXiv/feedback#16): no room for more, while all else goes on",
	},
	{
		name: "google_spent", then: spent, hintFalse: true,
		match:    googleSpent,
		evidence: "Gemini: quotaId PerDay, or limit 0; the RetryInfo beside it is wrong (Gitlawb/openclaude#249)",
	},
	{
		name: "google_quota", then: spent,
		match:    all(saysQuota, googleExhausted, not(perMinuteProof)),
		evidence: "Gemini: the sentence without proof that it means a minute",
	},
	{
		name: "current_quota", then: unpaid, scope: quotaScope,
		match:    all(saysQuota, not(googleExhausted)),
		evidence: "OpenAI, and gateways that drop its code (developers.openai.com/docs/guides/error-codes)",
	},
	{
		name: "billing_text", then: unpaid, scope: debtScope,
		match:    either(saysItself(billingPhrases...), suspended),
		evidence: "see billingPhrases; Anthropic sends 400, Fireworks 412, xAI 403 (BerriAI/litellm#37592, amd/gaia#3766)",
	},
	{
		name: "credential_text", then: deadKey,
		match:    saysItself(credentialPhrases...),
		evidence: "see credentialPhrases",
	},
	{
		name: "in_debt", then: unpaid, scope: debtScope,
		match:    inDebt,
		evidence: "DashScope Arrearage and PrepaidBillOverdue, Qianfan account_overdue, Azure API Management 403 \"Out of call volume quota\", Volcengine InvalidSubscription",
	},
	{
		name: "dead_key_text", then: deadKey,
		match:    dead,
		evidence: "Bedrock 403 \"The security token included in the request is invalid.\", Anthropic 400 \"This organization has been disabled.\"",
	},
	{
		name: "service_quota", then: limited,
		match:    all(status(400), either(codePart("servicequotaexceeded"), saysItself("exceeds the service quota"))),
		evidence: "Bedrock ServiceQuotaExceededException comes with 400: resubmit later (docs.aws.amazon.com, Bedrock API errors)",
	},
	{
		name: "never_fits", then: neverFits, hintFalse: true,
		match:    either(code(oversizeCodes), saysItself(oversizePhrases...), status(http.StatusRequestEntityTooLarge), outgrown, oversized),
		evidence: "OpenAI and Groq 429 with Requested over Limit (danielmiessler/Fabric#364), llama.cpp 500 (ggml-org/llama.cpp#15780)",
	},
	{
		name: "region", then: blocked,
		match:    either(codePart("unsupported_country"), saysItself(regionPhrases...), all(status(403), either(page, edgeBlock))),
		evidence: "OpenAI unsupported_country*, Gemini 400 FAILED_PRECONDITION, Cloudflare's challenge pages: no key gets through from here",
	},
	{
		name: "model_forbidden", then: Verdict{Outcome: OutcomeModel, Scope: Model, Trip: true},
		match:    all(status(403), either(code(modelCodes), namesModel)),
		evidence: "OpenAI sends model_not_found on 403 and 404; the key is good for other models",
	},
	{
		name: "not_let", then: notEntitled, scope: entitledScope,
		match:    denied,
		evidence: "Bedrock 403 and 404 (model access, use case details), Volcengine ModelNotOpen, DashScope Model.AccessDenied, OpenAI 400 \"must be verified to stream this model\"",
	},
	{
		name: "model_unknown", then: noModel,
		match:    either(all(from(400, 499), code(modelCodes)), all(status(404), codePart("not_found_error")), all(status(400, 404), namesModel), gone, retryable(false)),
		evidence: "Anthropic, vLLM, Mistral, Azure, OpenRouter; not remembered: a model may be deployed a minute later",
	},
	{
		name: "unauthorized", then: deadKey,
		match:    status(http.StatusUnauthorized),
		evidence: "RFC 9110, section 15.5.2; bodies differ: OpenAI code null, Perplexity HTML, Mistral detail",
	},
	{
		name: "entitlement", then: notEntitled, scope: entitledScope,
		match:    all(either(status(429), codePart("rate_limit", "ratelimit")), unentitled),
		evidence: "Anthropic 429 rate_limit_error \"Extra usage is required for long context requests.\" (anthropics/claude-code#41054): no wait changes it, and other requests of the key pass",
	},
	// Capacity, slow down, rate limits.
	{
		name: "loading", then: loading, notRun: true,
		match:    all(isLoading, not(status(500, 502, 504))),
		evidence: "llama.cpp 503 \"Loading model\" (mostlygeek/llama-swap#146), Hugging Face 503 with estimated_time (huggingface/transformers#23793)",
	},
	{
		name: "loading_unsure", then: loading,
		match:    isLoading,
		evidence: "the same under 500, 502 or 504: what the server was doing before it is loading again may have been carried out",
	},
	{
		name: "output_blocked", then: rejected,
		match:    all(status(498), says("blocked", "harmful", "moderat")),
		evidence: "Cohere 498: the input or output was blocked (docs.cohere.com, errors)",
	},
	{
		name: "tier_busy", then: tierBusy,
		match:    either(all(status(429, 503), code(tierCodes)), all(busy, says(tierPhrases...)), status(498)),
		evidence: "OpenAI 429 resource_unavailable, Groq 498: flex has no capacity, while the standard tier of the same key and model answers",
	},
	{
		name: "long_outage", then: Verdict{Outcome: OutcomeFailed, Scope: Upstream, Breaker: Fault},
		match:    all(from(500, 599), not(codePart("slow_down", "rate_limit")), away),
		evidence: "openai-python MAX_RETRY_AFTER_DELAY: who says over 120 s is gone for this request",
	},
	{
		name: "model_overloaded", then: modelBusy,
		match:    either(code(modelOverloadCodes), all(busy, says(modelOverloadPhrases...)), all(status(429, 529), fromProvider)),
		evidence: "see modelOverloadCodes; OpenRouter's 429 \"Provider returned error\" is the provider's pool (azrtydxb/Fastllm-proxy#28)",
	},
	{
		name: "server_busy", then: with(slowed, Upstream),
		match:    all(status(400, 429, 500, 503), saysItself("server busy")),
		evidence: "Ollama 503 maximum pending requests; LiteLLM turns it into 400",
	},
	{
		name: "slow_down", then: slowed,
		match:    either(codePart("slow_down"), all(status(503), saysItself("slow down")), all(status(429, 503), burst)),
		evidence: "OpenAI 429 code slow_down, formerly 503 Slow Down: the rate rose too fast (error codes guide)",
	},
	{
		name: "overloaded", then: overloaded, scope: crowdScope,
		match:    either(code(overloadCodes), status(529), all(busy, says(overloadPhrases...)), all(status(429), codePart("server_error"))),
		evidence: "Anthropic 529, Moonshot 429 engine_overloaded_error, OpenAI 429 with type server_error, Azure 429 high demand: not the caller's limit",
	},
	{
		name: "crowded", then: overloaded, scope: crowdScope,
		match:    crowded,
		evidence: "see crowdRE: Cloudflare 3040, Volcengine ServerOverloaded, NVIDIA NIM 503 \"Worker local total request limit reached\", Qianfan preemptible and cluster limits, SiliconFlow 50508",
	},
	{
		name: "provider_limited", then: overloaded,
		match:    behind,
		evidence: "OpenCode Zen 429 \"Provider rate limit exceeded\", AiHubMix 503 \"Rate limited by provider\": the gateway's own limit there",
	},
	{
		name: "rate_limited", then: limited, scope: bucketScope,
		match:    either(status(http.StatusTooManyRequests), codePart("rate_limit", "ratelimit")),
		evidence: "RFC 6585, section 4; ERNIE prefixes the code, Anthropic's compatible API sends it with type invalid_request_error",
	},
	{
		name: "request_timeout", then: Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Ignore},
		match:    status(http.StatusRequestTimeout),
		evidence: "RFC 9110, section 15.5.9; Azure 408 Timeout",
	},
	{
		name: "key_of_another", then: rejected,
		match:    all(status(http.StatusConflict), keyOfAnother),
		evidence: "the key was used for another request (Stripe's idempotency_error, draft-ietf-httpapi-idempotency-key-header, section 2.6): for ever",
	},
	{
		name: "still_running", then: running,
		match:    stillRunning,
		evidence: "the call with this key is still being made: 409, often with Retry-After (Comfy-Org/ComfyUI#16220; Stripe's idempotency_key_in_use)",
	},
	{
		name: "conflict", then: Verdict{Outcome: OutcomeFailed, Repeat: Backoff},
		match:    status(http.StatusConflict, http.StatusTooEarly),
		evidence: "OpenAI 409 conversation_locked; its SDKs repeat 409; RFC 8470 for 425",
	},
	{
		name: "client_closed", then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore},
		match:    status(499),
		evidence: "Groq, nginx, Vertex 499: the upstream thinks that we hung up",
	},
	{
		name: "may_pass", then: modelBusy,
		match:    all(from(400, 499), retryable(true)),
		evidence: "OpenRouter availability.retryable",
	},
	{
		name: "model_failed", then: once(modelFailed),
		match:    all(status(424), saysItself("processing the model", "invoking the model")),
		evidence: "Bedrock 424 ModelErrorException",
	},
	{
		name: "timeout_told", then: timedOut,
		match:    all(status(500, 503), either(codePart("timeout", "timed_out"), saysItself("request timed out"))),
		evidence: "DashScope 500 RequestTimeOut",
	},
	{
		name: "model_crashed", then: modelFailed,
		match:    all(status(500), saysItself("model runner", "llama runner")),
		evidence: "Ollama 500 \"llama runner process has terminated\": the process of one model (ollama/ollama#8597)",
	},
	{
		name: "invalid_output", then: Verdict{Outcome: OutcomeFailed, Repeat: Once, Breaker: Ignore},
		match:    codePart("invalid_model_output"),
		evidence: "OpenAI 500: the model made invalid text of this prompt",
	},
	{
		name: "inference_unreached", then: modelFailed, notRun: true,
		match:    notReached,
		evidence: "aiand 502 bad_gateway: not carried out",
	},
	{
		name: "provider_failed", then: modelFailed,
		match:    all(status(500, 502, 503), either(fromProvider, code(providerCodes))),
		evidence: "OpenRouter and aiand: the gateway is well, what serves the model is not",
	},
	{
		name: "gateway_timeout_compute", then: once(timedOut), scope: gatewayScope,
		match:    all(status(504, 524), effect(endpoint.Compute)),
		evidence: "aiand stops at 30 s, Cloudflare at 120 s: the same slow call often times out again (chenyme/grok2api#1050)",
	},
	{
		name: "gateway_timeout", then: timedOut, scope: gatewayScope,
		match:    status(504, 524),
		evidence: "RFC 9110, section 15.6.5; Cloudflare 524: the upstream may still be at work",
	},
	{
		name: "not_implemented", then: Verdict{Outcome: OutcomeRejected, Scope: Upstream, Breaker: Ignore},
		match:    status(501, 505, 511),
		evidence: "RFC 9110, sections 15.6.2 and 15.6.6; RFC 6585, section 6: will not change by itself",
	},
	{
		name: "server_error", then: failed,
		match:    from(500, 599),
		evidence: "500, 502, 503, Cloudflare 520-523, 525, 526, 530: the SDKs repeat all of them",
	},
	{
		name: ruleOtherRejection, then: rejected,
		match:    from(400, 499),
		evidence: "RFC 9110, section 15.5: the request is at fault",
	},
}
