package classify

import (
	"net/http"
)

// accountRules are about money and keys: whom the upstream does not serve now, whatever is asked.
var accountRules = []rule{
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
		match:    either(all(status(401, 403), either(codePart("missing_scope"), saysItself(scopePhrases...))), all(status(401), names(namesScope))),
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
		name: "named_debt", then: unpaid, scope: namedScope,
		match:    namedSpent,
		evidence: "see namings: ElevenLabs 401 quota_exceeded, watsonx 403 token_quota_reached, OpenCode 429 GoUsageLimitError",
	},
	{
		name: "free_models_per_day", then: spent, hintFalse: true,
		match:    saysItself("free-models-per-day"),
		evidence: "OpenRouter: one daily allowance for all free models (openclaw/openclaw#147546)",
	},
	{
		name: "allowance_used", then: spent, scope: usedScope,
		match:    used,
		evidence: "Bedrock 429 \"Too many tokens per day\", Cloudflare 4006 (diegosouzapw/OmniRoute#6980), Cerebras per day, Gemini CLI: an allowance for hours or longer whose end nobody waits for",
	},
	{
		name: "credential_code", then: deadKey,
		match:    deadCode,
		evidence: "see credentialCodes; Google sends API_KEY_INVALID as 400, DashScope InvalidApiKey in an event under 200",
	},
	{
		name: "named_key", then: deadKey,
		match:    namedKey,
		evidence: "see namings: a code that says that a key or account is refused, under statuses that do not",
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
		match:    either(inDebt, over),
		evidence: "DashScope Arrearage and PrepaidBillOverdue, Qianfan account_overdue, Azure API Management 403 \"Out of call volume quota\", Volcengine InvalidSubscription",
	},
	{
		name: "dead_key_text", then: deadKey,
		match:    dead,
		evidence: "Bedrock 403 \"The security token included in the request is invalid.\", Anthropic 400 \"This organization has been disabled.\"",
	},
}
