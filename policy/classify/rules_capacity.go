package classify

import (
	"net/http"
)

// capacityRules are about what passes: loading, capacity, bursts and rates.
var capacityRules = []rule{
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
		match:    either(crowded, namedBusy),
		evidence: "see crowdRE: Cloudflare 3040, Volcengine ServerOverloaded, NVIDIA NIM 503 \"Worker local total request limit reached\", Qianfan preemptible and cluster limits, SiliconFlow 50508",
	},
	{
		name: "provider_limited", then: overloaded,
		match:    behind,
		evidence: "OpenCode Zen 429 \"Provider rate limit exceeded\", AiHubMix 503 \"Rate limited by provider\": the gateway's own limit there",
	},
	{
		name: "rate_limited", then: limited, scope: bucketScope,
		match:    either(status(http.StatusTooManyRequests), all(from(400, 599), names(namesRate|namesPeriod|namesQuota)), hurried),
		evidence: "RFC 6585, section 4; ERNIE prefixes the code, Anthropic's compatible API sends it with type invalid_request_error",
	},
}
