package classify

import (
	"net/http"
	"strconv"

	"outrigger/internal/lazyregexp"
)

// storeRE finds quotas of what is kept, not of how fast it comes: Gemini's FileStorageBytesPerProject.
var storeRE = lazyregexp.New(`\b(?:\w*storage\w*|disk|stored)\b[^.\n]{0,40}\b(?:limit|quota|full|exceeded|space)|\b(?:limit|maximum|quota|exceeded|out of|full)\b[^.\n]{0,40}\b(?:\w*storage\w*|disk|stored)\b` +
	`|\b(?:maximum|limit|too many|number of)\b[^.\n]{0,30}\b(?:files|vector stores|assistants|fine[- ]?tun\w+ jobs|deployments)\b`)

// storeParts are parts of codes that say so: OpenAI's storage_limit_exceeded.
var storeParts = []string{"storage_limit", "storagelimit", "storage_quota", "storagequota", "storage_full", "storage_exceeded"}

// storeRateRE finds the words of a rate, at which a store may be asked.
var storeRateRE = lazyregexp.New(`\brate\b|per[ _-]?(?:min|sec)|\brequests\b`)

// full matches refusals for want of room. It concerns what wants more of it.
func full(r *reply) bool {
	return r.status == http.StatusTooManyRequests && (r.quotaNames("storage") || r.quotaNames("bytes") ||
		codePart(storeParts...)(r) || storeRE.MatchString(r.text) && !storeRateRE.MatchString(r.text))
}

// oversizeRE finds sentences about a request that is larger than what the model or the server takes.
var oversizeRE = lazyregexp.New(
	`\b(?:prompt|input|inputs|context|message|messages|text|request|payload|body|file|image|document|tokens?|characters?|length|size|sequence)\b[^.\n]{0,60}?\b(?:too (?:long|large|big)|exceeds?|exceeding|exceeded|longer than|larger than|greater than|overflows?|surpass(?:es)?)\b` +
		`|\btoo many (?:input |prompt |output )?tokens\b` +
		`|\bmax(?:imum)?[_ ](?:completion[_ ]|output[_ ]|new[_ ])?tokens\b[^\n]{0,60}?\b(?:must be less|less than or equal|at most|cannot exceed|exceeds?|too large|lower than|greater than)` +
		`|\bmust (?:be less than|not exceed|be shorter|have less than)[^.\n]{0,30}?\b(?:max|tokens|seq|context|characters)` +
		`|\bmax(?:imum)? (?:input |context |prompt |file )?(?:characters|tokens|length|size|sequence length) (?:is|of|allowed)\b|\bcontext (?:the )?(?:length|window|overflow)[^\n]{0,60}?\b(?:exceed|overflow|not enough|too)|\bwhen context (?:the )?overflows` +
		`|\bmust be <= ?\d+|\brange of input length\b|\b(?:provide|use|send) a shorter (?:input|prompt)\b|\breduce the length\b`)

// overflows reports whether a text that is no rejection says so of a context.
func overflows(text string) bool {
	return saysAny(text, "context size", "context length", "context window", "token length", "input length") && oversizeRE.MatchString(text)
}

// oversizedRE finds a number of tokens over the most: "prompt tokens limit exceeded: 69120 > 36608".
var oversizedRE = lazyregexp.New(`tokens?[^.\n]{0,40}?(\d+) > (\d+)`)

// oversized matches such requests. Under 429 only figures tell them from a rate.
func oversized(r *reply) bool {
	switch r.status {
	case 400, 413, 422:
		return codePart("too_long", "toolong", "too_large", "toolarge", "context_length")(r) || oversizeRE.MatchString(r.text)
	case 500, 502, 503:
		return overflows(r.text)
	case 402, 429:
		m := oversizedRE.FindStringSubmatch(r.text)
		if m == nil {
			return false
		}
		asked, _ := strconv.ParseFloat(m[1], 64)
		most, _ := strconv.ParseFloat(m[2], 64)
		return asked > most
	}
	return false
}

// namedSize matches codes about a request that is larger than what is taken.
func namedSize(r *reply) bool {
	switch r.status {
	case 400, 413, 422, 500:
		return r.named&(namesSize|namesTokens) != 0
	case 401, 403, 404, 502, 503:
		return r.named&namesSize != 0
	}
	return false
}

// namedModel matches codes about a model that is not there. What is off at present is gone only for a refusal's status:
// under 429 and 5xx it may be back.
func namedModel(r *reply) bool {
	switch r.status {
	case 401, 403, 404:
		return r.named&(namesModel|namesModelOff) != 0 || r.opens(noModelRE)
	case 400, 422:
		return r.named&namesModel != 0 || r.opens(noModelRE)
	case 500, 502, 503:
		return r.named&namesModel != 0 || r.status == http.StatusInternalServerError && absentRE.MatchString(cut(r.text, crowdMax))
	}
	return false
}

// noModelRE finds a sentence that begins with a model that is not there: "Model kimi-k2.5 not supported".
var noModelRE = lazyregexp.New(`^(?:error: ?)?(?:the |this |requested )*model [^\n.]{0,20}?\S{0,80} ?(?:is |was |does )?(?:not|un)[ -]?(?:found|supported|available|exist|known)\b`)

// absentRE finds one of a model that a failed server names.
var absentRE = lazyregexp.New(`^(?:error: ?)?(?:the |this |requested )*model \S{1,80} (?:was |is |does |could )?not (?:be )?(?:found|exist)\b`)

// deniedRE finds refusals of a model, a feature or an API that the account has not been let to use.
var deniedRE = lazyregexp.New(
	`\bmodel access (?:is )?denied\b|\bnot (?:been )?activated the model\b|\bhas not (?:been )?(?:activated|enabled|opened|subscribed)\b|(?:\bnot|n't|n’t) have access to the model\b|\bnot (?:allowed|authorized|permitted|entitled) to (?:access|use|call|invoke) (?:(?:this|the|that|requested|publisher) ){0,2}model` +
		`|\buse[- ]case (?:form|details)\b|\bmust be verified\b|\bverify your (?:organization|account|phone|identity)|\bnot enabled for your (?:organization|account|project|team|workspace)` +
		`|\bdoes not support the [\w -]{1,24} (?:plan|feature)\b|\b(?:accept|agree to) the (?:terms|license)|\b(?:is|are) (?:a )?gated\b|\bawaiting (?:a )?review\b|\brequest access\b|\bnot agreed to\b|\bno access to (?:the )?model|\bno permission to (?:access|use|get|call)\b|\baccess to (?:the )?model (?:is )?denied|\bapi you are accessing is not open|\bmodel (?:is |has been )?disabled\b|\bhas not been used in project\b|\bonly available (?:for|to|through|via)\b|\bonly available hosted in\b|\bexplicit opt[- ]?in\b|\b(?:e-?mail|phone|identity|account) (?:is |has |must )?(?:not (?:been |yet )?|be )verified|\b(?:complete|pass|requires?|needs?) (?:[\w-]+ ){0,3}verification\b|\bpermission\b[^\n]{0,80} denied on resource\b[^\n]{0,200}\bmodels?/|\bverif(?:y your (?:e-?mail|age|card)|ication (?:is )?required)|\bonly (?:for )?(?:paying|paid|subscribed|premium|pro|verified|approved) (?:users|customers|subscribers|accounts|members|teams|organizations)\b|暂未开放|无权(?:访问|使用|限)`)

// planRE finds what is bought: only then is a refusal that is final anyway called an entitlement.
var planRE = lazyregexp.New(`\b` + plan + `|\bpaid\b`)

// deniedParts are parts of codes that say so: Volcengine's ModelNotOpen, DashScope's Model.AccessDenied.
var deniedParts = []string{"modelnotopen", "model_not_open", "model.accessdenied", "model_access_denied", "not_activated", "notactivated", "unpurchased", "notopen", ".accessdenied", "accessdisabled"}

// denied matches them under the statuses that are final in any case; under 500 a gateway flattens them.
func denied(r *reply) bool {
	switch r.status {
	case 500:
		if !saysAny(r.text, "model") {
			return false
		}
		fallthrough
	case 400, 401, 403, 404:
		return codePart(deniedParts...)(r) || deniedRE.MatchString(r.text) ||
			planRE.MatchString(r.text) && entitlementRE.MatchString(r.text) && !rateRE.MatchString(r.text)
	}
	return false
}

// entitledScope is what an entitlement is for: a model, the account, or this request alone.
func entitledScope(r *reply) Scope {
	switch {
	case codePart("model", "workspace")(r) || r.has(zaiModelCodes) || saysAny(r.text, "model") && !saysAny(r.text, "stream this model") || accessRE.MatchString(r.text):
		return Model
	case saysAny(r.text, "for your organization", "for your account", "for your project", "for your team"), needRE.MatchString(r.text):
		return Credential
	}
	return Request
}

var (
	// accessRE finds a model's name by its version: "does not have access to kimi-k3".
	accessRE = lazyregexp.New(`\baccess to (?:the )?[a-z][\w./:-]*\d`)
	// needRE finds a plan that all of an account's requests need.
	needRE = lazyregexp.New(`^you (?:need|must have) (?:an? )?(?:[\w-]+ ){0,3}` + plan)
)

// goneRE finds sentences about a model that this upstream does not serve.
var goneRE = lazyregexp.New(`\bno such model\b|\b(?:unknown|unsupported|invalid) model\b|\bmodel name is (?:invalid|unknown|not)|\bmodel (?:\S+ )?(?:is )?not supported by (?:the |this |your )?(?:provider|server|endpoint|deployment|account|gateway|router)|\bmodel\b[^\n]{0,120}\bon-demand throughput\b|\bno endpoints (?:available|found)\b|\bmodel (?:\S+ )?(?:has been |is |was )?(?:deprecated|retired|decommissioned|shut down|removed|discontinued)\b|\bmodel requires more (?:system |gpu |video )?memory|\bmodel (?:identifier|id) is (?:invalid|not)|\bcould not resolve the (?:foundation )?model|\bend of (?:its )?life\b|\bno models? (?:is |are )?loaded\b|\bmodel\b[^\n]{0,80}\btoo large to be loaded|\bfunction cannot be invoked|\bfunction '[^']*': not found|\bmodel is offline\b|\bno (?:available |usable |enabled )?channels?\b[^\n]{0,60}\bmodel\b|\bmodel\b[^\n]{0,80}\bnot (?:in|on) (?:the |your )?(?:list of )?(?:allow|white|available)|无可用渠道|模型(?:不存在|未找到|已下线)|不支持(?:的|该)模型`)

var goneParts = []string{"closedendpoint", "model_retired", "model_deprecated", "unknown_model", "nosuchmodel", "no_such_model", "model_offline"}

// gone matches a model that this upstream does not serve.
func gone(r *reply) bool {
	switch r.status {
	case 503:
		return saysAny(r.text, "channel", "无可用渠道") && goneRE.MatchString(r.text)
	case 500:
		if !saysAny(r.text, "model") {
			return false
		}
		fallthrough
	case 400, 403, 404, 410, 422:
		return codePart(goneParts...)(r) || goneRE.MatchString(r.text)
	}
	return false
}

// zaiModelCodes are z.ai's for a model that the plan does not include (docs.z.ai/api-reference/api-code).
var zaiModelCodes = codes(`1311`)

// regionRE finds sentences about the place that asks. A model's own region, as "not supported in this region", is none.
var regionRE = lazyregexp.New(`(?:not|n't|n’t|un|no longer)(?: yet| currently)? ?(?:available|supported|permitted|allowed|accessible|offered|served?)\b[^.\n]{0,30}? (?:in|from|for) (?:your|the user's) (?:current )?(?:country|region|location|territory|jurisdiction|area)` +
	`|\b(?:from|in) (?:your|this) (?:country|region|location|territory|ip)\b[^.\n]{0,30}\b(?:is|are|has been) (?:not|blocked|denied|restricted|forbidden|prohibited)` +
	`|\byour (?:country|region|location|territory)\b[^.\n]{0,20}\b(?:is|are|has been) (?:not|blocked|denied|restricted|unsupported|forbidden|prohibited)` +
	`|(?:所在)?(?:地区|国家)(?:暂)?不(?:支持|可用)`)

// elsewhere matches them under the statuses of a refusal.
func elsewhere(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 404, 451:
		return r.opens(regionRE)
	}
	return false
}

// What a plan, tier or account is called, and who has one.
const (
	plan   = `(?:plan|tier|subscription|membership|package)s?\b`
	holder = `(?:` + plan + `|(?:account|organi[sz]ation|org|workspace|project|team|user|key)s?\b)`
	refuse = `(?:not|n't|no longer)(?: yet| currently)?`

	// What is had beside a plan, and how one comes by it: "need usage credits to be enabled".
	bought   = `(?:credits?|(?:extra|additional|paid|overage) usage|usage|billing|features?|access|add-?ons?|betas?|plans?|tiers?|subscriptions?)`
	switched = `(?:enabled|activated|turned on|switched on|included|purchased|bought|granted|added|unlocked|upgraded)\b`
)

// entitlementRE finds sentences that say what a caller's plan or account lacks, in
// words that nobody listed before: "requires a paid plan", "is not available on your
// plan", "your tier does not include", "only available to subscribers", "upgrade to use
// this model".
var entitlementRE = lazyregexp.New(
	`\b(?:requires?|needs?|must have) (?:an? |the |at least )?(?:[\w$.+-]+ ){0,3}?(?:` + plan + `|upgrade|entitlement|add-?on)` +
		`|` + plan + `[^.\n]{0,20} (?:is|are) (?:required|needed)` +
		`|\b(?:upgrade|subscription) required` +
		`|` + refuse + ` (?:available|included|enabled|offered|supported|allowed|permitted|accessible|part of)\b[^.\n]{0,40}\b` + holder +
		`|` + holder + `[^.\n]{0,20} (?:does|do|is|are|has|have|can)(?: ?not|n't)(?: yet| currently)? (?:include|have|allow|cover|support|permit|access|eligible|enabled|use)` +
		`|\b(?:only|exclusively) (?:available|accessible|offered|allowed|for|to)\b[^.\n]{0,40}\b(?:paid|pro|plus|premium|enterprise|business|subscribers?|paying|` + plan + `)` +
		`|\b(?:allowed|available|reserved) (?:for|to|on|in|with)\b[^.\n]{0,30}\b` + plan +
		`|\bupgrade\b[^.\n]{0,40}\b(?:to|for) (?:access|use|unlock|enable)` +
		`|\bhas no access to\b` +
		`|\b(?:requires?|needs?|must have) (?:[\w$.+-]+ ){0,4}?` + bought + ` (?:to be |be |being )?` + switched +
		`|` + bought + ` (?:must|needs? to|has to|have to) (?:first )?be ` + switched +
		`|\b(?:enable|activate|turn on|switch on|subscribe to|purchase|buy) (?:[\w$.+-]+ ){0,4}?` + bought + ` (?:[\w-]+ ){0,5}?(?:to|before) (?:use|using|access|accessing|unlock|call|calling)\b` +
		`|\b(?:disabled|unavailable|unsupported|blocked)\b[^.\n]{0,20} (?:for|on|under|by|in) (?:your|this|the) ` + holder +
		`|\bno (?:endpoints?|models?|access)\b[^.\n]{0,40} (?:on|under|with) your[^.\n]{0,20} ` + plan,
)

// rateRE finds the words of a limit that passes. Beside them a plan is mentioned to
// sell more of it: "Need more tokens? Upgrade to Dev Tier" (Groq).
var rateRE = lazyregexp.New(`\brate[ -]?limit|\blimits?\b|\bper[ -](?:second|sec|min|hour|day|month)|too many|quota|exceeded|throttl|\b(?:rpm|tpm|rpd|tpd)\b|capacity|try again (?:in|later|after)`)

// unentitled matches refusals of what the caller's plan does not include. The phrases that
// are known decide alone; the general pattern only where nothing speaks of a rate or a wait.
func unentitled(r *reply) bool {
	if r.has(entitlementCodes) || saysAny(r.text, entitlementPhrases...) {
		return true
	}
	return r.wait == 0 && entitlementRE.MatchString(r.text) && !rateRE.MatchString(r.text)
}
