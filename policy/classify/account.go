package classify

import (
	"net/http"
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
)

// The kinds of refusals, by what their sentences say. A phrase that is listed in lists.go decides first; these find the
// wordings that nobody listed.

// debtRE finds sentences about an account that cannot pay. What sells more, "add credits to raise your limit", is none.
var debtRE = lazyregexp.New(
	`\b(?:overdue|arrears|arrearage)\b|account is (?:not )?in (?:good standing|arrears)|your account is in good standing` +
		`|\b(?:insufficient|not enough|out of|exhausted|depleted|used up|no remaining|ran out of|run out of) (?:[\w$-]+ ){0,4}?(?:balance|credits?|funds)\b` +
		`|\b(?:balance|credits?|funds) (?:is |are |was |were |has been |have been |have )?(?:insufficient|too low|exhausted|depleted|used up|not enough|expired|run out|negative|ran out)` +
		`|\bexceeded (?:your |the )?(?:[\w-]+ ){0,3}credits\b|\bcredit limit exceeded|\bspend(?:ing)? (?:limit|cap|budget) (?:has been |was |is )?(?:exceeded|reached|hit)` +
		`|\b(?:reached|exceeded|hit) (?:your |its |the )?(?:[\w-]+ ){0,2}spend(?:ing)? (?:limit|cap)` +
		`|\bout of (?:[\w-]+ ){0,3}quota\b|\bnot (?:been |yet )?purchased\b|\bhas not purchased\b|\bnot have a valid [\w ]{0,30}subscription|\b(?:subscription|membership|license|(?:your|the) plan|free trial|trial)\b[^\n]{0,60}? (?:is|has|was|has been) (?:not active|inactive|expired|cancell?ed|ended|lapsed|unpaid|paused|past due|over)\b|\b(?:update|add) your (?:payment method|billing)|\bpayment (?:has |was )?failed|\bunpaid (?:invoices?|bills?|balance)|\bbilling account (?:is |has been |was )?(?:closed|disabled|suspended|inactive|not active)|\b(?:failed|incomplete|overdue|missed|declined) (?:or \w+ )?payment|(?:not|n't|n’t) have (?:any |enough |sufficient )(?:[\w-]+ ){0,2}(?:credits?|balance|funds)\b|\bmodel service has been (?:paused|suspended)|\b(?:exhausted|exceeded|used up|used) (?:[\w-]+ ){0,3}free (?:[\w-]+ )?(?:quota|tier|credits?)\b` +
		`|\bbilling (?:is |has |was )?(?:not (?:been )?(?:enabled|active|set up)|disabled)|\bfree (?:[\w-]+ )?(?:quota|tier|credits?)\b[^.\n]{0,40}?\b(?:exceeded|exhausted|used)\b|\brequires billing to be enabled|\benter a payment method|欠费|余额不足`)

// debtParts are parts of codes that say so: DashScope's PrepaidBillOverdue and Arrearage, Qianfan's account_overdue.
var debtParts = []string{
	"overdue", "arrear", "notpurchased", "not_purchased", "insufficient_balance", "insufficientbalance", "insufficient_credit",
	"insufficientcredit", "insufficient_fund", "no_credit", "credit_limit", "not_enough_balance", "notenoughbalance", "limitexceededexception", "out_of_credit", "invalidsubscription", "billing_not",
}

// inDebt matches refusals of an account that cannot pay. Beside the words of a limit per minute, its words sell.
func inDebt(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 412, 422, 429:
	case 500, 502, 503:
		if !saysAny(r.text, accountWords...) {
			return false
		}
	default:
		return false
	}
	if r.told.Window != 0 && r.told.Window < time.Hour {
		return false
	}
	return codePart(debtParts...)(r) || r.opens(debtRE)
}

// debtScope is the account's, but for what is free of one model, or stopped for it.
func debtScope(r *reply) Scope {
	if saysAny(r.text, "free allocated", "free quota", "free tier", "model service", "model requires") {
		return Model
	}
	return Credential
}

// opening is where the upstream's own sentence begins in a rejection that may quote the caller.
const opening = 48

// opens reports whether a text says what re finds: in a rejection, at its beginning.
func (r *reply) opens(re *lazyregexp.Regexp) bool {
	at := re.FindStringIndex(cut(r.text, crowdMax))
	return at != nil && (at[0] <= opening || r.status != http.StatusBadRequest && r.status != http.StatusUnprocessableEntity)
}

// brokeRE finds an account of which nothing is left: no smaller request would pass either.
var brokeRE = lazyregexp.New(`can only afford 0\b`)

func canAffordNone(r *reply) bool { return brokeRE.MatchString(r.text) }

// namedSpent matches codes that say that money or an allowance is used up. Where a minute or a rate is named too, that is
// what refused; under 429 a quota may be one of a minute, unless nothing speaks of a wait.
func namedSpent(r *reply) bool {
	switch {
	case r.status < 400, googleExhausted(r), r.named&(namesRate|namesSize) != 0 && r.named&namesDebt == 0, r.told.Window != 0 && r.told.Window < time.Hour:
		return false
	case r.named&namesDebt != 0:
		return r.status != http.StatusTooManyRequests || !limitRateRE.MatchString(r.text) || r.wait == 0 || r.wait >= longAllowance
	case r.named&namesPeriod != 0:
		return r.wait == 0 || r.wait >= longAllowance
	case r.named&namesQuota != 0:
		return r.status != http.StatusTooManyRequests && !rateWords(r) || r.named&namesRate == 0 && r.wait >= longAllowance
	}
	return r.named&namesTokens != 0 && (r.status == http.StatusUnauthorized || r.status == http.StatusForbidden)
}

// rateWords reports whether a text speaks of a rate, or of when to try again.
func rateWords(r *reply) bool {
	return hurries(r.text) || minuteRE.MatchString(r.text) || r.wait > 0 && r.wait < longAllowance
}

// namedScope is whose allowance a code says is used up: the account's, but for a model's own.
func namedScope(r *reply) Scope {
	if r.hasPart("model") {
		return Model
	}
	return debtScope(r)
}

// namedKey matches codes about a key or account. Under the statuses of a refusal a "key" or "token" is the caller's; under
// others it may be a part of the request.
func namedKey(r *reply) bool {
	switch r.status {
	case 401, 403:
		return r.named&(namesAPIKey|namesKey) != 0 && r.named&^(namesAPIKey|namesKey|namesScope) == 0
	case 400, 412, 429, 500:
		return r.named&namesAPIKey != 0
	}
	return false
}

// accountWords are roots of which every text about what an account has left holds one: a cheap test before the patterns.
var accountWords = strings.Fields(`credit balance fund overdue arrear standing quota purchase subscri membership licen plan trial tier billing
	payment invoice bill spend usage allowance points requests tokens messages generations wallet top recharge 欠费 余额 额度 配额`)

// overRE finds a quota that is used up, without a word of how long it is for.
var overRE = lazyregexp.New(`\b(?:quotas?|usage limits?|allowance|points) (?:is |are |was |were |has been |have been |have |has )?(?:exceeded|exhausted|reached|used up|depleted|insufficient|run out)\b` +
	`|\b(?:exceed(?:ed|s)?|reached|exhausted|used up|used all|hit|insufficient|out of|over|no) (?:[\w'’-]+ {1,2}){0,4}?(?:quota|usage limit|allowance|points|credits)\b|\bfrom quota was rejected\b|\b(?:exhausted|used up|used all|no (?:remaining|more)|run out of) (?:[\w'’-]+ ){0,3}?(?:requests|tokens|messages|generations)\b|\binsufficient tokens\b|\bwallet is empty\b|\bno active (?:subscription|membership)\b` +
	`|\b(?:subscribe|top[- ]?up|recharge) to continue\b|\bplease (?:top[- ]?up|recharge)\b|额度(?:不足|已用)|配额(?:不足|已用)`)

// over matches such texts under the statuses that refuse who asks, and those of a failure.
func over(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 412, 422, 500, 502, 503:
		return saysAny(r.text, accountWords...) && r.opens(overRE) && !rateWords(r) && !googleExhausted(r) && (r.told.Window == 0 || r.told.Window >= longAllowance) &&
			!saysAny(r.text, "storage", "disk", "service quota")
	}
	return false
}

// deadRE finds sentences about a key, token or account that is refused as such. "Token" alone is a unit of text.
var deadRE = lazyregexp.New(`\b(?:api[ _-]?key|(?:access|security|auth|oauth|bearer|authentication|authorization) token|credentials?)\b[^.\n]{0,40}?\b(?:is |are |has |was |been )*(?:invalid|expired|revoked|disabled|deactivated|not valid|incorrect|missing|deleted)\b` +
	`|\b(?:invalid|expired|revoked|incorrect|missing|no)(?: valid| active| configured)? (?:[\w-]+ ){0,2}?(?:api[ _-]?key|(?:access|security|auth|oauth|bearer|api) token|credentials)\b|令牌(?:已|状态)?(?:过期|禁用|失效|不可用)|无效的(?:令牌|密钥)|密钥(?:无效|已)` +
	`|\b(?:organization|account|workspace|project|user) (?:has been|is|was) (?:disabled|deactivated|terminated|banned|locked|closed)\b|\brequest signature\b[^\n]{0,40}\bnot match|\b(?:authentication|authorization) (?:error|failed)\b|\baccount (?:has been |is )?(?:suspended|blocked)\b|\bunavailable for (?:your |this )?account\b`)

// keyRE finds a sentence about the key or token with which a refusal came.
var keyRE = lazyregexp.New(`^(?:error: ?)?(?:your |the |this |provided )*(?:api )?(?:key|token|license) (?:is |has been |was |has )(?:invalid|expired|revoked|disabled|deactivated|blocked|inactive|not (?:valid|active)|deleted)`)

// dead matches them under the statuses of a refusal for who asks.
func dead(r *reply) bool {
	switch r.status {
	case 400, 401, 403:
		return r.opens(deadRE) || r.status != 400 && keyRE.MatchString(r.text)
	}
	return false
}

var (
	// allowanceRE finds an allowance for hours or longer, which is not a rate: no caller waits for its end.
	allowanceRE = lazyregexp.New(`\b(?:daily|weekly|monthly|hourly|session|today(?:'s|’s)?|24[- ]?h(?:ours?|rs?)?|\d{1,3}[- ]h(?:ours?|rs?)?(?:ly)?) (?:[\w()-]+ ){0,3}?(?:limits?|quotas?|allowance|allocation|usage|caps?|tokens?|requests?|credits?|neurons|budget)\b` +
		`|(?:\b|_)(?:requests?|tokens?|quer(?:y|ies)|calls?|messages?|generations?|images?|neurons|units|limit|quota)(?:\b|_)[^.\n]{0,24}(?:\bper|_per|\ba|\beach|/)[ _-]?(?:day|week|month)(?:\b|_)|\b(?:rpd|tpd)\b` +
		`|\b(?:limit|quota|allowance|usage|requests|tokens)\b[^.\n]{0,40}\b(?:for|in|of|this) (?:this |the |your )?(?:current )?(?:today|day|week|month|billing (?:cycle|period)|period)\b` +
		`|今日|每日|每周|每月|当日`)
	// spentRE finds words that it is used up.
	spentRE = lazyregexp.New(`\bexceed(?:s|ed|ing)?\b|\bexhausted\b|\breached\b|\bused up\b|\bhit\b|\bout of\b|\bpast\b|\btoo many\b|\bover\b|\bno more\b|\bused all\b|\bmaximum usage\b|\blimited to\b|已达|上限|限额|超过`)
	// limitRateRE finds the words of a rate, under which a wait of hours is still one for the rate.
	limitRateRE = lazyregexp.New(`\brate[- ]?limit|\bretry\b`)
	resetRE     = lazyregexp.New(`\bquota will (?:be )?(?:reset|replenish|renew|refresh)|\bquota (?:has been |is |was )?reached|\busage limit\b|\blimit of [^.\n]{1,30} (?:per|every|in) \d+ ?h(?:ours?|rs?)?\b|\bquota (?:has been |is |was )?(?:exhausted|used up)`)
)

// longAllowance is the shortest wait for an allowance that nobody waits for.
const longAllowance = time.Hour

// used matches refusals by an allowance for hours or longer that name no wait which a caller could wait for: the end of
// a day is not told, or hours away.
func used(r *reply) bool {
	switch r.status {
	case 402, 403, 429:
	case 400, 401:
		if !r.opens(allowanceRE) {
			return false
		}
	default:
		return false
	}
	if r.wait > 0 {
		return r.wait >= longAllowance && resetRE.MatchString(r.text) && !limitRateRE.MatchString(r.text)
	}
	return !minuteRE.MatchString(r.text) && !saysAny(r.text, billingPhrases...) && saysUsed(r.text)
}

// minuteRE finds a shorter window beside a longer one: which of them refused is not told then.
var minuteRE = lazyregexp.New(`(?:\b|_)per[ _-](?:min|sec)|/ ?(?:min|sec)`)

// saysUsed reports whether one sentence says that such an allowance is used up. Another one may only sell it.
func saysUsed(text string) bool {
	for sentence := range strings.FieldsFuncSeq(strings.ReplaceAll(text, ". ", "\n"), func(c rune) bool { return c == '\n' || c == '!' || c == ';' }) {
		if spentRE.MatchString(sentence) && allowanceRE.MatchString(sentence) {
			return true
		}
	}
	return false
}

// usedScope is whose allowance it is: a model's where the text or the provider says so.
func usedScope(r *reply) Scope {
	if saysAny(r.text, "your account", "organization t", "free allocation", "usage limit") && !saysAny(r.text, " model") {
		return Credential
	}
	return bucketScope(r)
}
