package classify

import "regexp"

// deniedRE finds refusals of a model, a feature or an API that the account has not been let to use.
var deniedRE = regexp.MustCompile(
	`\bmodel access (?:is )?denied\b|\bnot (?:been )?activated the model\b|\bhas not (?:been )?(?:activated|enabled|opened|subscribed)\b|(?:\bnot|n't|n’t) have access to the model\b|\bnot (?:allowed|authorized|permitted|entitled) to (?:access|use|call|invoke) (?:(?:this|the|that|requested|publisher) ){0,2}model` +
		`|\buse[- ]case (?:form|details)\b|\bmust be verified\b|\bverify your (?:organization|account|phone|identity)|\bnot enabled for your (?:organization|account|project|team|workspace)` +
		`|\bdoes not support the [\w -]{1,24} (?:plan|feature)\b|\b(?:accept|agree to) the (?:terms|license)|\b(?:is|are) (?:a )?gated\b|\bawaiting (?:a )?review\b|\brequest access\b|\bnot agreed to\b|\bno access to (?:the )?model|\bno permission to (?:access|use|get|call)\b|\baccess to (?:the )?model (?:is )?denied|\bapi you are accessing is not open|\bmodel (?:is |has been )?disabled\b|\bhas not been used in project\b|\bonly available (?:for|to|through|via)\b|\bonly available hosted in\b|\bexplicit opt[- ]?in\b|\b(?:e-?mail|phone|identity|account) (?:is |has |must )?(?:not (?:been |yet )?|be )verified|\b(?:complete|pass|requires?|needs?) (?:[\w-]+ ){0,3}verification\b|\bpermission\b[^\n]{0,80} denied on resource\b[^\n]{0,200}\bmodels?/|\bverif(?:y your (?:e-?mail|age|card)|ication (?:is )?required)|\bonly (?:for )?(?:paying|paid|subscribed|premium|pro|verified|approved) (?:users|customers|subscribers|accounts|members|teams|organizations)\b|暂未开放|无权(?:访问|使用|限)`)

// planRE finds what is bought: only then is a refusal that is final anyway called an entitlement.
var planRE = regexp.MustCompile(`\b` + plan + `|\bpaid\b`)

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
	accessRE = regexp.MustCompile(`\baccess to (?:the )?[a-z][\w./:-]*\d`)
	// needRE finds a plan that all of an account's requests need.
	needRE = regexp.MustCompile(`^you (?:need|must have) (?:an? )?(?:[\w-]+ ){0,3}` + plan)
)

// goneRE finds sentences about a model that this upstream does not serve.
var goneRE = regexp.MustCompile(`\bno such model\b|\b(?:unknown|unsupported|invalid) model\b|\bmodel name is (?:invalid|unknown|not)|\bmodel (?:\S+ )?(?:is )?not supported by (?:the |this |your )?(?:provider|server|endpoint|deployment|account|gateway|router)|\bmodel\b[^\n]{0,120}\bon-demand throughput\b|\bno endpoints (?:available|found)\b|\bmodel (?:\S+ )?(?:has been |is |was )?(?:deprecated|retired|decommissioned|shut down|removed|discontinued)\b|\bmodel requires more (?:system |gpu |video )?memory|\bmodel (?:identifier|id) is (?:invalid|not)|\bcould not resolve the (?:foundation )?model|\bend of (?:its )?life\b|\bno models? (?:is |are )?loaded\b|\bmodel\b[^\n]{0,80}\btoo large to be loaded|\bfunction cannot be invoked|\bfunction '[^']*': not found|\bmodel is offline\b|\bno (?:available |usable |enabled )?channels?\b[^\n]{0,60}\bmodel\b|\bmodel\b[^\n]{0,80}\bnot (?:in|on) (?:the |your )?(?:list of )?(?:allow|white|available)|无可用渠道|模型(?:不存在|未找到|已下线)|不支持(?:的|该)模型`)

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

// deadRE finds sentences about a key, token or account that is refused as such. "Token" alone is a unit of text.
var deadRE = regexp.MustCompile(`\b(?:api[ _-]?key|(?:access|security|auth|oauth|bearer|authentication|authorization) token|credentials?)\b[^.\n]{0,40}?\b(?:is |are |has |was |been )*(?:invalid|expired|revoked|disabled|deactivated|not valid|incorrect|missing|deleted)\b` +
	`|\b(?:invalid|expired|revoked|incorrect|missing|no)(?: valid| active| configured)? (?:[\w-]+ ){0,2}?(?:api[ _-]?key|(?:access|security|auth|oauth|bearer|api) token|credentials)\b|令牌(?:已|状态)?(?:过期|禁用|失效|不可用)|无效的(?:令牌|密钥)|密钥(?:无效|已)` +
	`|\b(?:organization|account|workspace|project|user) (?:has been|is|was) (?:disabled|deactivated|terminated|banned|locked|closed)\b|\brequest signature\b[^\n]{0,40}\bnot match|\b(?:authentication|authorization) (?:error|failed)\b|\baccount (?:has been |is )?(?:suspended|blocked)\b|\bunavailable for (?:your |this )?account\b`)

// keyRE finds a sentence about the key or token with which a refusal came.
var keyRE = regexp.MustCompile(`^(?:error: ?)?(?:your |the |this |provided )*(?:api )?(?:key|token|license) (?:is |has been |was |has )(?:invalid|expired|revoked|disabled|deactivated|blocked|inactive|not (?:valid|active)|deleted)`)

// dead matches them under the statuses of a refusal for who asks.
func dead(r *reply) bool {
	switch r.status {
	case 400, 401, 403:
		return r.opens(deadRE) || r.status != 400 && keyRE.MatchString(r.text)
	}
	return false
}

// zaiModelCodes are z.ai's for a model that the plan does not include (docs.z.ai/api-reference/api-code).
var zaiModelCodes = codes(`1311`)

// regionRE finds sentences about the place that asks. A model's own region, as "not supported in this region", is none.
var regionRE = regexp.MustCompile(`(?:not|n't|n’t|un|no longer)(?: yet| currently)? ?(?:available|supported|permitted|allowed|accessible|offered|served?)\b[^.\n]{0,30}? (?:in|from|for) (?:your|the user's) (?:current )?(?:country|region|location|territory|jurisdiction|area)` +
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
