package classify

import (
	"strings"
)

// codeSet is a set of lower-cased codes and types, which are compared whole.
type codeSet map[string]bool

func codes(list string) codeSet {
	set := codeSet{}
	for _, c := range strings.Fields(list) {
		set[c] = true
	}
	return set
}

// billingCodes mean that money or allowance is used up.
//
//	OpenAI      type insufficient_quota with four newer codes (help.openai.com 6614457), and older ones
//	OpenAI      usage_limit_reached, usage_not_included (ChatGPT plans; openai/codex)
//	Anthropic   billing_error; error.details.error_code enforced_spend_limit_reached
//	Moonshot    exceeded_current_quota_error
//	aiand       insufficient_credits
//	LiteLLM     budget_exceeded (docs.litellm.ai/docs/proxy/error_reference)
//	OpenRouter  limit_source of spent keys and workspaces (openrouter.ai/docs/api/errors)
//	new-api     insufficient_user_quota, pre_consume_token_quota_failed
//	z.ai        1113 arrears, 1304 daily calls, 1308-1310 plan limits (docs.z.ai/api-reference/api-code)
//	Google      BILLING_DISABLED (google/api/error_reason.proto)
var billingCodes = codes(`insufficient_quota credit_balance_exhausted organization_spend_limit_exceeded
	project_spend_limit_exceeded organization_usage_limit_exceeded billing_not_active
	billing_hard_limit_reached billing_limit_user_error usage_limit_reached usage_not_included
	billing_error enforced_spend_limit_reached exceeded_current_quota_error
	insufficient_credits insufficient_balance insufficient_funds budget_exceeded
	openrouter_key_limit openrouter_workspace_budget insufficient_user_quota pre_consume_token_quota_failed
	1113 1304 1308 1309 1310 billing_disabled`)

// billingPhrases say the same where the codes do not: Anthropic 400 and 429, xAI 403 and 429 (error is a
// string), OpenAI since 2026-08, Fireworks 412 and Moonshot 429 (suspended), z.ai, LiteLLM,
// OpenRouter 403, DeepSeek, Kimi 403 (kimi.com, error reference).
var billingPhrases = []string{
	"credit balance is too low", "reached your specified api usage limits", "monthly spend limit",
	"monthly spending limit", "used all available credits", "have any credits yet", "no credits remaining",
	"billing hard limit", "your account is not active", "weekly/monthly limit exhausted", "your limit will reset at",
	"budget has been exceeded", "key limit exceeded", "insufficient balance", "balance is insufficient",
	"account balance is too low", "reached your usage limit", "run out of available resources",
}

// quotaPhrase is the sentence of OpenAI's empty accounts, and of Google's limits per minute.
const quotaPhrase = "exceeded your current quota"

// credentialCodes mean a key or account that is refused as such.
//
//	OpenAI     invalid_api_key, account_deactivated, ip_not_authorized (error codes guide)
//	Anthropic  authentication_error
//	Groq       organization_restricted
//	Kimi       access_terminated_error
//	Google     reasons of google/api/error_reason.proto
//	z.ai       1110-1112, 1121: account inactive, missing, locked, sent with 429
var credentialCodes = codes(`invalid_api_key incorrect_api_key account_deactivated ip_not_authorized
	authentication_error organization_restricted access_terminated access_terminated_error
	api_key_invalid consumer_invalid consumer_suspended service_disabled 1110 1111 1112 1121`)

// credentialPhrases: xAI sends a wrong key as 400, Google as 400, and a leaked or missing one as 403
// (PublicAffairs/openai-gemini#92), Azure a blocked resource as 403.
var credentialPhrases = []string{
	"incorrect api key provided", "api key not valid", "api key expired", "invalid api key", "invalid api-key",
	"reported as leaked", "resource has been temporarily blocked", "deactivated account",
	"unregistered callers",
}

// scopePhrases: OpenAI sends 401 to a valid but restricted key on another endpoint
// (microsoft/PowerToys#32989, bytedance/trae-agent#162).
var scopePhrases = []string{"missing scopes", "insufficient permissions"}

// oversizeCodes mean that this request can never fit. Seen on 400, 413, 429 and 500 (ggml-org/llama.cpp#15780).
var oversizeCodes = codes(`context_length_exceeded exceed_context_size_error request_too_large
	string_above_max_length string_too_long 1261`)

var oversizePhrases = []string{
	"request too large for", "maximum context length", "prompt is too long", "exceeds the context window",
	"exceeds the available context size", "max context window",
}

// regionPhrases concern the place that asks: Google, OpenAI, Anthropic (corbt/agent.exe#15,
// anthropics/claude-code#1613), Azure behind a virtual network.
var regionPhrases = []string{
	"user location is not supported", "country, region, or territory not supported",
	"request not allowed", "virtual network/firewall rules",
}

// modelCodes mean a model that is unknown, retired or not allowed: OpenAI, Azure, vLLM, Mistral
// (1500 is its "invalid model"), Groq, OpenRouter, LiteLLM (BerriAI/litellm#38629), z.ai (1211).
var modelCodes = codes(`model_not_found deploymentnotfound notfounderror unknown_model invalid_model model_not_available
	model_decommissioned model_terms_required model_permission_blocked_org model_permission_blocked_project
	model_not_supported privacy_restricted key_model_access_denied team_model_access_denied user_model_access_denied
	1211 1500`)

// entitlementCodes mean something that the caller's plan does not include: Cline (cline/cline#11606), gateways, z.ai (1311).
var entitlementCodes = codes(`entitlement_error not_entitled model_not_entitled model_not_enabled model_access_denied
	model_permission_denied subscription_required upgrade_required 1311`)

// entitlementPhrases say so in words that nobody uses for a rate.
//
//	Anthropic  429 and 400 about extra usage (anthropics/claude-code#41054, #45048, griffinmartin/opencode-claude-auth#209)
//	Anthropic  the long context beta (anthropics/claude-code#27944)
//	z.ai       429 code 1311, and its text where a gateway drops the code (can1357/oh-my-pi#39)
//	Google     429 "doesn't have a free quota tier" (google-gemini/gemini-fullstack-langgraph-quickstart#128)
//	Cline      "not subscribed to required model plan" (cline/cline#11606)
var entitlementPhrases = []string{
	"extra usage is required", "out of extra usage", "draw from your extra usage", "long context beta is not",
	"not yet include access", "not include access", "have a free quota tier", "not entitled", "not subscribed to",
}

// loadingCodes mean a model, or its servers, that will be ready soon: Fireworks (a deployment that was scaled to
// zero), Bedrock 429 ModelNotReadyException (imported models).
var loadingCodes = codes(`deployment_scaling_up modelnotreadyexception model_not_ready_exception model_loading model_not_ready`)

// tierCodes and tierPhrases mean that one service tier lacks capacity: OpenAI flex (PostHog/posthog#92166), Groq flex.
var tierCodes = codes(`resource_unavailable`)

var tierPhrases = []string{"flex tier capacity", "flex capacity", "flex processing is"}

// modelOverloadCodes mean that one model, or the provider that serves it, lacks capacity: Google,
// Mistral (3505, BerriAI/litellm#25078), OpenRouter, Together, z.ai (1305, 1312).
var modelOverloadCodes = codes(`capacity_exceeded model_capacity_exhausted service_tier_capacity_exceeded
	provider_overloaded upstream_provider_shared_pool service_unavailable 3505 1305 1312`)

var modelOverloadPhrases = []string{
	"at capacity", "over capacity", "capacity exceeded for this model", "no capacity available",
	"rate-limited upstream", "resource exhausted. please try again later", "resource exhausted, please try again later",
}

// overloadCodes mean that the whole provider lacks capacity: Anthropic, Moonshot, OpenAI, DeepSeek, llama.cpp
// while it loads its model.
var overloadCodes = codes(`overloaded_error engine_overloaded_error server_is_overloaded server_overloaded
	service_unavailable_error unavailable_error insufficient_system_resource`)

// overloadPhrases: OpenAI, Together, Azure 429 (learn.microsoft.com, quota page), Kimi 429.
var overloadPhrases = []string{
	"overloaded", "high demand", "temporarily unable to process your request", "receiving too many requests",
}

// providerCodes mean that an aggregator is well and what serves the model is not: OpenRouter, aiand. Cloudflare's
// own are prefixed with cf_.
var providerCodes = codes(`provider_unavailable bad_gateway gateway_timeout`)
