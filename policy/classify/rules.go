package classify

import (
	"net/http"

	"outrigger/policy/endpoint"
)

// rule is one row of the table. Name, match and then are needed, the others are for few.
type rule struct {
	// name is the row's own, in lower case with underscores. It is logged with every verdict of the row.
	name string
	// match is the condition; match.go has the general ones: status, code, codePart, saysItself, all, either, not.
	match match
	// then is the verdict: one of those below, or one of its own. It leaves open what settle fills in: the error's
	// fields, the wait, the status, and what becomes of a create.
	then Verdict
	// scope decides whom the failure concerns where then cannot say it alone.
	scope func(*reply) Scope
	// notRun says that the answer proves that the request was not carried out, so that even a create is repeated.
	notRun bool
	// hintFalse says that waiting as told does not help.
	hintFalse bool
	// asSent says that the answer holds what the caller asked for, if not all of it: it
	// keeps the status that it came with.
	asSent bool
}

// ruleOtherRejection is the one row that an upstream's x-should-retry: true overrules.
const ruleOtherRejection = "other_rejection"

// unknown is the verdict for what no row matches, a status of 600 or more.
var unknown = rule{name: "unknown", then: failed}

// The verdicts that several rows share.
var (
	rejected    = Verdict{Outcome: OutcomeRejected}
	neverFits   = Verdict{Outcome: OutcomeNeverFits}
	unpaid      = Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true}
	spent       = Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true}
	deadKey     = Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true}
	noModel     = Verdict{Outcome: OutcomeModel, Scope: Model}
	blocked     = Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore}
	limited     = Verdict{Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause}
	slowed      = Verdict{Outcome: OutcomeSlowDown, Scope: Model, Repeat: Pause, Limiter: LimiterSlowDown}
	overloaded  = Verdict{Outcome: OutcomeOverloaded, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	modelBusy   = Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault}
	failed      = Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	modelFailed = Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Backoff, Breaker: Fault}
	timedOut    = Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	unreached   = Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	notEntitled = Verdict{Outcome: OutcomeEntitlement}
	tierBusy    = Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Ignore}
	loading     = Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore}
	running     = Verdict{Outcome: OutcomeFailed, Repeat: Rejoin}
	broken      = Verdict{Outcome: OutcomeBroke, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
)

// once returns v for one repeat only.
func once(v Verdict) Verdict {
	v.Repeat = Once
	return v
}

// with returns v with another scope.
func with(v Verdict, s Scope) Verdict {
	v.Scope = s
	return v
}

// rules is the table. The first row that matches decides, so the order is part of the meaning: bodies before statuses, never
// before maybe. The comment above a row says who sends this, and where it is documented or was seen. See rule for the
// fields, and policy/README.md for how to add a row.
var rules = []rule{
	// # Attempts that brought no answer, or half of one

	// the caller left: says nothing about the upstream (sony/gobreaker IsExcluded)
	{name: "canceled", match: failure(Canceled), then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore}},
	// dial, DNS or TLS failed: nothing was sent
	{name: "unreachable", match: failure(Unreachable), then: unreached},
	// connect(2), socket(2): EMFILE, ENFILE, ENOBUFS and EADDRNOTAVAIL are this machine's, not the upstream's
	{name: "starved", match: failure(Starved), then: Verdict{Outcome: OutcomeStarved, Repeat: Backoff, Breaker: Ignore}},
	// RFC 9113, sections 6.8 and 8.7: REFUSED_STREAM and streams above GOAWAY's were not processed
	{name: "not_processed", match: failure(Refused), then: unreached},
	// the attempt's own time ran out; whether the request was carried out depends on how far it got
	{name: "timeout", match: failure(Timeout), then: timedOut},
	// golang/go#22158: a kept connection was closed before the request was written
	{name: "never_left", match: all(failure(Broke), unsent), then: unreached},
	// golang/go#22158: reset or EOF after the request was written proves nothing
	{name: "broke", match: failure(Broke), then: broken},
	// an answer that cannot be read is likely to come again
	{name: "unusable", match: failure(TooLarge), then: once(broken)},
	// an answer with Transfer-Encoding: chunked twice (maximhq/bifrost) comes from what stands there, and comes again
	{name: "malformed", match: failure(Malformed), then: Verdict{Outcome: OutcomeBroke, Scope: Upstream, Breaker: Ignore}},
	// OpenRouter 200 with finish_reason error: the part that came is billed, so the caller decides
	{name: "failed_choice", match: partialAnswer, then: Verdict{Outcome: OutcomeFailed, Scope: Model, Breaker: Fault}, asSent: true},

	// # Money and keys: whom the upstream does not serve now, whatever is asked

	// OpenRouter 402 "can only afford 0": the key's own limit is used up, so no smaller request passes either
	{name: "nothing_left", match: all(status(http.StatusPaymentRequired), canAffordNone), then: unpaid},
	// OpenRouter 402 "Prompt tokens limit exceeded: 69120 > 36608": a smaller request passes
	{name: "priced_too_large", match: all(status(http.StatusPaymentRequired), oversized), then: neverFits, hintFalse: true},
	// OpenRouter: this request costs more than is left, a smaller one may pass (openrouter.ai/docs/api/errors)
	{name: "unaffordable", match: all(status(http.StatusPaymentRequired), either(codePart("weight_exceeds_budget"), saysItself("can only afford"))), then: neverFits, hintFalse: true},
	// OpenRouter: in_flight_budget_exhausted comes with Retry-After and passes (openrouter.ai/docs/api/errors)
	{name: "budget_in_flight", match: all(status(http.StatusPaymentRequired), either(codePart("in_flight_budget"), retryAfterSent)), then: limited},
	// DeepSeek sends code invalid_request_error with it, Copilot quota_exceeded: the status wins (continuedev/continue#9942)
	{name: "payment_required", match: status(http.StatusPaymentRequired), then: unpaid},
	// OpenAI: a restricted key on another endpoint (microsoft/PowerToys#32989, bytedance/trae-agent#162)
	{name: "missing_scope", match: either(all(status(401, 403), either(codePart("missing_scope"), saysItself(scopePhrases...))), all(status(401), names(namesScope))), then: rejected},
	// OpenAI: its own authentication failed, not the key
	{name: "auth_backend", match: all(status(401), codePart("auth_subrequest_error")), then: once(failed)},
	// DashScope sends OpenAI's insufficient_quota for its tokens per minute and links to …/error-code#token-limit (can1357/oh-my-pi#8496)
	{name: "throttle_page", match: throttlePage, then: limited, scope: bucketScope},
	// see billingCodes; OpenAI's type stays insufficient_quota while its codes change (help.openai.com 6614457)
	{name: "billing_code", match: code(billingCodes), then: unpaid, scope: debtScope},
	// see namings: ElevenLabs 401 quota_exceeded, watsonx 403 token_quota_reached, OpenCode 429 GoUsageLimitError
	{name: "named_debt", match: namedSpent, then: unpaid, scope: namedScope},
	// OpenRouter: one daily allowance for all free models (openclaw/openclaw#147546)
	{name: "free_models_per_day", match: saysItself("free-models-per-day"), then: spent, hintFalse: true},
	// Bedrock 429 "Too many tokens per day", Cloudflare 4006 (diegosouzapw/OmniRoute#6980), Cerebras per day, Gemini CLI: an allowance for hours or longer whose end nobody waits for
	{name: "allowance_used", match: used, then: spent, scope: usedScope},
	// see credentialCodes; Google sends API_KEY_INVALID as 400, DashScope InvalidApiKey in an event under 200
	{name: "credential_code", match: deadCode, then: deadKey},
	// see namings: a code that says that a key or account is refused, under statuses that do not
	{name: "named_key", match: namedKey, then: deadKey},
	// Gemini 429 FileStorageBytesPerProject on uploads (alphaXiv/feedback#16): no room for more, while all else goes on
	{name: "store_full", match: full, then: Verdict{Outcome: OutcomeQuota}},
	// Gemini: quotaId PerDay, or limit 0; the RetryInfo beside it is wrong (Gitlawb/openclaude#249)
	{name: "google_spent", match: googleSpent, then: spent, hintFalse: true},
	// Gemini: the sentence without proof that it means a minute
	{name: "google_quota", match: all(saysQuota, googleExhausted, not(perMinuteProof)), then: spent},
	// OpenAI, and gateways that drop its code (developers.openai.com/docs/guides/error-codes)
	{name: "current_quota", match: all(saysQuota, not(googleExhausted)), then: unpaid, scope: quotaScope},
	// see billingPhrases; Anthropic sends 400, Fireworks 412, xAI 403 (BerriAI/litellm#37592, amd/gaia#3766)
	{name: "billing_text", match: either(saysItself(billingPhrases...), suspended), then: unpaid, scope: debtScope},
	// see credentialPhrases
	{name: "credential_text", match: saysItself(credentialPhrases...), then: deadKey},
	// DashScope Arrearage and PrepaidBillOverdue, Qianfan account_overdue, Azure API Management 403 "Out of call volume quota", Volcengine InvalidSubscription
	{name: "in_debt", match: either(inDebt, over), then: unpaid, scope: debtScope},
	// Bedrock 403 "The security token included in the request is invalid.", Anthropic 400 "This organization has been disabled."
	{name: "dead_key_text", match: dead, then: deadKey},

	// # What cannot succeed: too large, from the wrong place, not there, or not included

	// Bedrock ServiceQuotaExceededException comes with 400: resubmit later (docs.aws.amazon.com, Bedrock API errors)
	{name: "service_quota", match: all(status(400), either(codePart("servicequotaexceeded"), saysItself("exceeds the service quota"))), then: limited},
	// OpenAI and Groq 429 with Requested over Limit (danielmiessler/Fabric#364), llama.cpp 500 (ggml-org/llama.cpp#15780)
	{name: "never_fits", match: either(code(oversizeCodes), saysItself(oversizePhrases...), status(http.StatusRequestEntityTooLarge), outgrown, oversized, namedSize), then: neverFits, hintFalse: true},
	// Gemini 429 "limit=0, requested=32769", OpenAI 429 "Limit: 0 / min": an allowance that the plan does not have never refills
	{name: "zero_limit", match: nothingAllowed, then: notEntitled, scope: entitledScope},
	// OpenAI unsupported_country*, Gemini 400 FAILED_PRECONDITION, Cloudflare's challenge pages: no key gets through from here
	{name: "region", match: either(codePart("unsupported_country"), saysItself(regionPhrases...), elsewhere, status(http.StatusUnavailableForLegalReasons), all(status(403), either(page, edgeBlock))), then: blocked},
	// OpenAI sends model_not_found on 403 and 404; the key is good for other models
	{name: "model_forbidden", match: all(status(403), either(code(modelCodes), saysNoModel), not(denied)), then: Verdict{Outcome: OutcomeModel, Scope: Model, Trip: true}},
	// Bedrock 403 and 404 (model access, use case details), Volcengine ModelNotOpen, DashScope Model.AccessDenied, OpenAI 400 "must be verified to stream this model"
	{name: "not_let", match: either(denied, all(status(400, 401, 403, 404, 422, 429), names(namesPlan))), then: notEntitled, scope: entitledScope},
	// see namings: a code about the country or region, unless its text says that the account may opt in
	{name: "region_named", match: all(status(400, 401, 403, 404, 451, 500), names(namesRegion)), then: blocked},
	// Anthropic, vLLM, Mistral, Azure, OpenRouter; not remembered: a model may be deployed a minute later
	{name: "model_unknown", match: either(all(from(400, 499), code(modelCodes)), all(status(404), codePart("not_found_error")), all(status(400, 404), saysNoModel), gone, namedModel, retryable(false)), then: noModel},
	// RFC 9110, section 15.5.2; bodies differ: OpenAI code null, Perplexity HTML, Mistral detail
	{name: "unauthorized", match: all(status(http.StatusUnauthorized), not(names(namesRate|namesPeriod|namesQuota|namesBusy|namesLoading))), then: deadKey},
	// Anthropic 429 rate_limit_error "Extra usage is required for long context requests." (anthropics/claude-code#41054): no wait changes it, and other requests of the key pass
	{name: "entitlement", match: all(either(status(429), codePart("rate_limit", "ratelimit")), unentitled), then: notEntitled, scope: entitledScope},

	// # What passes: loading, capacity, bursts and rates

	// llama.cpp 503 "Loading model" (mostlygeek/llama-swap#146), Hugging Face 503 with estimated_time (huggingface/transformers#23793)
	{name: "loading", match: all(isLoading, not(status(500, 502, 504))), then: loading, notRun: true},
	// the same under 500, 502 or 504: what the server was doing before it is loading again may have been carried out
	{name: "loading_unsure", match: isLoading, then: loading},
	// Cohere 498: the input or output was blocked (docs.cohere.com, errors)
	{name: "output_blocked", match: all(status(498), says("blocked", "harmful", "moderat")), then: rejected},
	// OpenAI 429 resource_unavailable, Groq 498: flex has no capacity, while the standard tier of the same key and model answers
	{name: "tier_busy", match: either(all(status(429, 503), code(tierCodes)), all(busy, says(tierPhrases...)), status(498)), then: tierBusy},
	// openai-python MAX_RETRY_AFTER_DELAY: who says over 120 s is gone for this request
	{name: "long_outage", match: all(from(500, 599), not(codePart("slow_down", "rate_limit")), away), then: Verdict{Outcome: OutcomeFailed, Scope: Upstream, Breaker: Fault}},
	// see modelOverloadCodes; OpenRouter's 429 "Provider returned error" is the provider's pool (azrtydxb/Fastllm-proxy#28)
	{name: "model_overloaded", match: either(code(modelOverloadCodes), all(busy, says(modelOverloadPhrases...)), all(status(429, 529), fromProvider)), then: modelBusy},
	// Ollama 503 maximum pending requests; LiteLLM turns it into 400
	{name: "server_busy", match: all(status(400, 429, 500, 503), saysItself("server busy")), then: with(slowed, Upstream)},
	// OpenAI 429 code slow_down, formerly 503 Slow Down: the rate rose too fast (error codes guide)
	{name: "slow_down", match: either(codePart("slow_down"), all(status(503), saysItself("slow down")), all(status(429, 503), burst)), then: slowed},
	// Anthropic 529, Moonshot 429 engine_overloaded_error, OpenAI 429 with type server_error, Azure 429 high demand: not the caller's limit
	{name: "overloaded", match: either(code(overloadCodes), status(529), all(busy, says(overloadPhrases...)), all(status(429), codePart("server_error"))), then: overloaded, scope: crowdScope},
	// see crowdRE: Cloudflare 3040, Volcengine ServerOverloaded, NVIDIA NIM 503 "Worker local total request limit reached", Qianfan preemptible and cluster limits, SiliconFlow 50508
	{name: "crowded", match: either(crowded, namedBusy), then: overloaded, scope: crowdScope},
	// OpenCode Zen 429 "Provider rate limit exceeded", AiHubMix 503 "Rate limited by provider": the gateway's own limit there
	{name: "provider_limited", match: behind, then: overloaded},
	// RFC 6585, section 4; ERNIE prefixes the code, Anthropic's compatible API sends it with type invalid_request_error
	{name: "rate_limited", match: either(status(http.StatusTooManyRequests), all(from(400, 599), names(namesRate|namesPeriod|namesQuota)), hurried), then: limited, scope: bucketScope},

	// # The rest, by status for the most part

	// RFC 9110, section 15.5.9; Azure 408 Timeout
	{name: "request_timeout", match: status(http.StatusRequestTimeout), then: Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Ignore}},
	// the key was used for another request (Stripe's idempotency_error, draft-ietf-httpapi-idempotency-key-header, section 2.6): for ever
	{name: "key_of_another", match: all(status(http.StatusConflict), keyOfAnother), then: rejected},
	// the call with this key is still being made: 409, often with Retry-After (Comfy-Org/ComfyUI#16220; Stripe's idempotency_key_in_use)
	{name: "still_running", match: stillRunning, then: running},
	// OpenAI 409 conversation_locked; its SDKs repeat 409; RFC 8470 for 425
	{name: "conflict", match: status(http.StatusConflict, http.StatusTooEarly), then: Verdict{Outcome: OutcomeFailed, Repeat: Backoff}},
	// Groq, nginx, Vertex 499: the upstream thinks that we hung up
	{name: "client_closed", match: status(499), then: Verdict{Outcome: OutcomeCanceled, Breaker: Ignore}},
	// OpenRouter availability.retryable
	{name: "may_pass", match: all(from(400, 499), retryable(true)), then: modelBusy},
	// Bedrock 424 ModelErrorException
	{name: "model_failed", match: all(status(424), saysItself("processing the model", "invoking the model")), then: once(modelFailed)},
	// DashScope 500 RequestTimeOut
	{name: "timeout_told", match: all(status(500, 503), either(codePart("timeout", "timed_out"), saysItself("request timed out"))), then: timedOut},
	// Ollama 500 "llama runner process has terminated": the process of one model (ollama/ollama#8597)
	{name: "model_crashed", match: all(status(500), saysItself("model runner", "llama runner")), then: modelFailed},
	// OpenAI 500: the model made invalid text of this prompt
	{name: "invalid_output", match: codePart("invalid_model_output"), then: Verdict{Outcome: OutcomeFailed, Repeat: Once, Breaker: Ignore}},
	// aiand 502 bad_gateway: not carried out
	{name: "inference_unreached", match: notReached, then: modelFailed, notRun: true},
	// OpenRouter and aiand: the gateway is well, what serves the model is not
	{name: "provider_failed", match: all(status(500, 502, 503), either(fromProvider, code(providerCodes))), then: modelFailed},
	// aiand stops at 30 s, Cloudflare at 120 s: the same slow call often times out again (chenyme/grok2api#1050)
	{name: "gateway_timeout_compute", match: all(status(504, 524), effect(endpoint.Compute)), then: once(timedOut), scope: gatewayScope},
	// RFC 9110, section 15.6.5; Cloudflare 524: the upstream may still be at work
	{name: "gateway_timeout", match: status(504, 524), then: timedOut, scope: gatewayScope},
	// RFC 9110, sections 15.6.2 and 15.6.6; RFC 6585, section 6: will not change by itself
	{name: "not_implemented", match: status(501, 505, 511), then: Verdict{Outcome: OutcomeRejected, Scope: Upstream, Breaker: Ignore}},
	// 500, 502, 503, Cloudflare 520-523, 525, 526, 530: the SDKs repeat all of them
	{name: "server_error", match: from(500, 599), then: failed},
	// RFC 9110, section 15.5: the request is at fault
	{name: ruleOtherRejection, match: from(400, 499), then: rejected},
}
