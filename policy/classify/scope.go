package classify

import (
	"regexp"
	"strings"
)

// bucketScope returns whom a rate limit belongs to. Most providers count per model, and say so in one of many
// ways: the text names a model, or what is counted per minute; a code, a header or a shape is one of a
// provider that counts so (OpenAI, Groq, Azure, Anthropic, Google, Cerebras). Where
// nothing says so it is the account's (Mistral, Moonshot, DeepSeek, OpenRouter's own).
func bucketScope(r *reply) Scope {
	switch {
	case saysAny(r.text, "api_key:", "virtual key", "on your account", "for user,", "for this account", "trial key", "trial token",
		"limit type = team", "limit type = key", "limit type = user"):
		return Credential
	case saysAny(r.text, "model", "too many tokens"), r.has(bedrockCodes), codePart("throttling.", "limit_requests")(r), perUnitRE.MatchString(r.text), limitOnRE.MatchString(r.text):
		return Model
	case r.hasPart("model"), r.has(modelLimitCodes), r.codeText == "429", r.envelope:
		return Model
	case strings.EqualFold(r.codeText, "rate_limit_exceeded"):
		return Model
	}
	for name := range r.Header {
		if modelLimitHeader(name) {
			return Model
		}
	}
	return Credential
}

// bedrockCodes are AWS's names of a throttle; Bedrock's are per model (docs.aws.amazon.com, quotas for Amazon Bedrock).
// So are those of DashScope: Throttling.RateQuota, limit_requests (help.aliyun.com/zh/model-studio/rate-limit).
var bedrockCodes = codes(`throttlingexception servicequotaexceededexception`)

// limitOnRE finds a limit of a model that is named by its version: "rate-limited on claude-opus-4-7".
var limitOnRE = regexp.MustCompile(`\brate[- ]?limit\w*(?: exceeded| reached)? on [a-z][\w./:-]*\d`)

// perUnitRE matches a limit spelled out. The short "RPM" is left to the account: Moonshot
// says "organization max RPM", ERNIE "Rate limit reached for RPM".
var perUnitRE = regexp.MustCompile(`\b(tokens?|requests?|images?|queries)[ -]per[ -](second|min|hour|day)`)

var modelLimitCodes = codes(`requests tokens images slow_down resource_exhausted too_many_tokens_error token_quota_exceeded
	dynamic_request_limited dynamic_token_limited`)

// modelLimitHeader reports OpenAI's and Anthropic's header names, as canonical ones.
func modelLimitHeader(name string) bool {
	if strings.HasPrefix(name, "Anthropic-Ratelimit-") {
		return true
	}
	return (strings.HasPrefix(name, "X-Ratelimit-") || strings.HasPrefix(name, "X-Rate-Limit-")) &&
		(strings.HasSuffix(name, "-Tokens") || strings.HasSuffix(name, "-Requests"))
}

// gatewayScope returns whom a gateway's timeout belongs to: one model's servers where the gateway is an
// aggregator's own (aiand, OpenRouter), else the upstream.
func gatewayScope(r *reply) Scope {
	if fromProvider(r) || r.has(providerCodes) {
		return Model
	}
	return Upstream
}

// quotaScope returns whom an empty account belongs to: the caller's credential, or behind an aggregator
// the account that it uses for the model.
func quotaScope(r *reply) Scope {
	if fromProvider(r) {
		return Model
	}
	return Credential
}
