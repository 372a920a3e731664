package classify

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/internal/lazyregexp"
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
var limitOnRE = lazyregexp.New(`\brate[- ]?limit\w*(?: exceeded| reached)? on [a-z][\w./:-]*\d`)

// perUnitRE matches a limit spelled out. The short "RPM" is left to the account: Moonshot
// says "organization max RPM", ERNIE "Rate limit reached for RPM".
var perUnitRE = lazyregexp.New(`\b(tokens?|requests?|images?|queries)[ -]per[ -](second|min|hour|day)`)

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

// paceRE finds words about how fast or how much a caller may ask. A refusal that has none of them, such as
// "Extra usage is required for long context requests." (anthropics/claude-code#41054), may have any reason, whatever
// type it comes under.
var paceRE = lazyregexp.New(`(?:\b|_)rate[ _-]?limit|\bratelimit|\brequest rate\b|\btoo many\b|\btoo (?:fast|quickly|frequent)|\bfrequen(?:cy|tly)\b` +
	`|\bthrottl|\bslow down\b|\b(?:rpm|tpm|rpd|tpd|qps|rps|tps)\b|\b(?:requests?|tokens?|calls?|queries|images?)[ -](?:per|/)[ -]?(?:s|min|hour|h|day|d)` +
	`|\b(?:request|token|call|usage|quota|rate)s? (?:limit|quota|cap)s?\b|\bquotas? (?:was |were |is |are |has been |have been )?(?:reached|exceeded|exhausted|hit)\b` +
	`|\b(?:exceed(?:ed|s|ing)?|reached|hit|over|out of) (?:\S+ ){0,4}?(?:quotas?|rate)\b`)

// fewWords is up to how many words a message tells no reason of its own, so that its code decides: "Error", "Request failed".
const fewWords = 3

// proven reports whether a refusal shows that the rate of its credential and model is what refused it: it names a
// wait, an empty bucket, what is counted and for how long, or speaks of a rate; or its code does and nothing in its
// text speaks of something else. A bare 429 and a web page prove nothing.
func (r *reply) proven() bool {
	switch {
	case r.wait > 0 || !r.until().IsZero():
		return true
	case r.told.Limit > 0 || r.told.Dimension != "" || r.told.Window > 0:
		return true
	case r.emptied() || paceRE.MatchString(r.all):
		return true
	case r.hasPart("rate_limit"), r.hasPart("ratelimit"), r.hasPart("too_many"), r.hasPart("throttl"), r.hasPart("in_flight"),
		r.hasPart("resource_exhausted"), r.has(modelLimitCodes):
		return len(strings.Fields(r.text)) <= fewWords
	}
	return false
}

// emptied reports whether a rate-limit header says that nothing remains.
func (r *reply) emptied() bool {
	for _, h := range [...]map[string][]string{r.Header, r.headers} {
		for name := range h {
			n := strings.ReplaceAll(strings.ToLower(name), "rate-limit", "ratelimit")
			if strings.Contains(n, "ratelimit") && strings.Contains(n, "remaining") && first(h, name) == "0" {
				return true
			}
		}
	}
	return len(r.spentQuotas()) > 0
}

// zeroLimitRE matches "limit: 0" and "limit=0", a model that the plan does not have, but no "limit: 0.5" and no
// "remaining limit: 0".
var zeroLimitRE = lazyregexp.New(`(?:^|[^\w\s-]\s*|\b(?:rate|token|request|quota|the|your|with|a|of|model) )limit(?: of| is)? ?[:=]? ?"?(?:0|zero)(?:[^.\w]|\.\D|\.?$)`)

// googleExhausted matches Google's RESOURCE_EXHAUSTED, also where a gateway quotes it.
func googleExhausted(r *reply) bool {
	return r.hasPart("resource_exhausted") || saysAny(r.all, "resource_exhausted")
}

// googleSpent matches a quota that no wait of minutes refills: one per day, which is renewed at midnight
// Pacific time, or one of zero. Google adds a short RetryInfo to both (Gitlawb/openclaude#249).
func googleSpent(r *reply) bool {
	return googleExhausted(r) &&
		(r.quotaNames("perday") || zeroLimitRE.MatchString(r.text))
}

// nothingAllowed matches a limit of zero from anybody, unless a wait beside it says that it passes.
func nothingAllowed(r *reply) bool {
	return r.status == http.StatusTooManyRequests && zeroLimitRE.MatchString(r.text) && r.wait == 0
}

// perMinuteProof matches what proves that "exceeded your current quota" means a minute:
// a quotaId per minute, or RetryInfo, as a detail or in the words Google makes of it.
func perMinuteProof(r *reply) bool {
	return googleExhausted(r) &&
		(r.quotaNames("perminute") || r.retryInfo > 0 || saysAny(r.all, "retrydelay", "please retry in "))
}

// quotaNames reports whether a quotaId contains the part, be it in a quoted body.
func (r *reply) quotaNames(part string) bool {
	if slices.ContainsFunc(r.quotaIDs, func(id string) bool { return strings.Contains(id, part) }) {
		return true
	}
	return len(r.quotaIDs) == 0 && saysAny(r.all, "quotaid") && saysAny(r.all, part)
}

// linkRE finds links in lower-cased texts: host, path and anchor.
var linkRE = lazyregexp.New(`https?://([\w.-]+)([^\s"'<>)\]#]*)(?:#([\w.%-]+))?`)

// rateAnchorRE finds an anchor or the end of a path about a rate: "token-limit", "rate-limits", "429-throttling".
var rateAnchorRE = lazyregexp.New(`(?:token|rate|request|tpm|rpm|qps|throttl\w*|concurren\w*)s?[-_]?(?:limit|quota|per)|throttl|rate-?limit`)

// rateLimitRE finds a text that says rate under a code that says quota (SambaNova).
var rateLimitRE = lazyregexp.New(`\brate limit (?:was |has been |is )?(?:exceeded|reached)`)

// pageOwners are the hosts of documentation whose error codes mean something of their own: whoever links to one uses its
// words. Alibaba's DashScope sends OpenAI's code for a throttle.
var pageOwners = []string{"aliyun.com", "alibabacloud.com"}

// throttlePage matches a quota code that the text or a link explains: by its anchor it is about a rate. Of DashScope's pages, those
// about what is free, overdue or not bought are not. OpenAI's links and Google's stand beside real quotas as well.
func throttlePage(r *reply) bool {
	if r.status != http.StatusTooManyRequests || googleExhausted(r) || !r.has(quotaCodes) && !saysAny(r.text, quotaPhrase) {
		return false
	}
	if debtRE.MatchString(r.text) {
		return false
	}
	if !saysAny(r.text, "quota") && rateLimitRE.MatchString(r.text) {
		return true
	}
	for _, m := range linkRE.FindAllStringSubmatch(r.text, 8) {
		host, anchor := m[1], m[3]
		switch {
		case host == "openai.com" || strings.HasSuffix(host, ".openai.com"):
		case rateAnchorRE.MatchString(anchor):
			return true
		case ownsPage(host) && anchor == "":
			return true
		}
	}
	return false
}

func ownsPage(host string) bool {
	for _, owner := range pageOwners {
		if host == owner || strings.HasSuffix(host, "."+owner) {
			return true
		}
	}
	return false
}

// quotaCodes are OpenAI's words for an empty account that others send for a rate.
var quotaCodes = codes(`insufficient_quota exceeded_current_quota_error`)
