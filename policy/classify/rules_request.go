package classify

import (
	"net/http"
)

// requestRules are about what cannot succeed: too large, from the wrong place, not there, or not included.
var requestRules = []rule{
	{
		name: "service_quota", then: limited,
		match:    all(status(400), either(codePart("servicequotaexceeded"), saysItself("exceeds the service quota"))),
		evidence: "Bedrock ServiceQuotaExceededException comes with 400: resubmit later (docs.aws.amazon.com, Bedrock API errors)",
	},
	{
		name: "never_fits", then: neverFits, hintFalse: true,
		match:    either(code(oversizeCodes), saysItself(oversizePhrases...), status(http.StatusRequestEntityTooLarge), outgrown, oversized, namedSize),
		evidence: "OpenAI and Groq 429 with Requested over Limit (danielmiessler/Fabric#364), llama.cpp 500 (ggml-org/llama.cpp#15780)",
	},
	{
		name: "zero_limit", then: notEntitled, scope: entitledScope,
		match:    nothingAllowed,
		evidence: "Gemini 429 \"limit=0, requested=32769\", OpenAI 429 \"Limit: 0 / min\": an allowance that the plan does not have never refills",
	},
	{
		name: "region", then: blocked,
		match:    either(codePart("unsupported_country"), saysItself(regionPhrases...), elsewhere, status(http.StatusUnavailableForLegalReasons), all(status(403), either(page, edgeBlock))),
		evidence: "OpenAI unsupported_country*, Gemini 400 FAILED_PRECONDITION, Cloudflare's challenge pages: no key gets through from here",
	},
	{
		name: "model_forbidden", then: Verdict{Outcome: OutcomeModel, Scope: Model, Trip: true},
		match:    all(status(403), either(code(modelCodes), saysNoModel), not(denied)),
		evidence: "OpenAI sends model_not_found on 403 and 404; the key is good for other models",
	},
	{
		name: "not_let", then: notEntitled, scope: entitledScope,
		match:    either(denied, all(status(400, 401, 403, 404, 422, 429), names(namesPlan))),
		evidence: "Bedrock 403 and 404 (model access, use case details), Volcengine ModelNotOpen, DashScope Model.AccessDenied, OpenAI 400 \"must be verified to stream this model\"",
	},
	{
		name: "region_named", then: blocked,
		match:    all(status(400, 401, 403, 404, 451, 500), names(namesRegion)),
		evidence: "see namings: a code about the country or region, unless its text says that the account may opt in",
	},
	{
		name: "model_unknown", then: noModel,
		match:    either(all(from(400, 499), code(modelCodes)), all(status(404), codePart("not_found_error")), all(status(400, 404), saysNoModel), gone, namedModel, retryable(false)),
		evidence: "Anthropic, vLLM, Mistral, Azure, OpenRouter; not remembered: a model may be deployed a minute later",
	},
	{
		name: "unauthorized", then: deadKey,
		match:    all(status(http.StatusUnauthorized), not(names(namesRate|namesPeriod|namesQuota|namesBusy|namesLoading))),
		evidence: "RFC 9110, section 15.5.2; bodies differ: OpenAI code null, Perplexity HTML, Mistral detail",
	},
	{
		name: "entitlement", then: notEntitled, scope: entitledScope,
		match:    all(either(status(429), codePart("rate_limit", "ratelimit")), unentitled),
		evidence: "Anthropic 429 rate_limit_error \"Extra usage is required for long context requests.\" (anthropics/claude-code#41054): no wait changes it, and other requests of the key pass",
	},
}
