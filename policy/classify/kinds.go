package classify

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds of refusals, by what their sentences say. A phrase that is listed in words.go decides first; these find the
// wordings that nobody listed.

// debtRE finds sentences about an account that cannot pay. What sells more, "add credits to raise your limit", is none.
var debtRE = regexp.MustCompile(
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
func (r *reply) opens(re *regexp.Regexp) bool {
	at := re.FindStringIndex(cut(r.text, crowdMax))
	return at != nil && (at[0] <= opening || r.status != http.StatusBadRequest && r.status != http.StatusUnprocessableEntity)
}

var (
	// allowanceRE finds an allowance for hours or longer, which is not a rate: no caller waits for its end.
	allowanceRE = regexp.MustCompile(`\b(?:daily|weekly|monthly|hourly|session|today(?:'s|’s)?|24[- ]?h(?:ours?|rs?)?|\d{1,3}[- ]h(?:ours?|rs?)?(?:ly)?) (?:[\w()-]+ ){0,3}?(?:limits?|quotas?|allowance|allocation|usage|caps?|tokens?|requests?|credits?|neurons|budget)\b` +
		`|(?:\b|_)(?:requests?|tokens?|quer(?:y|ies)|calls?|messages?|generations?|images?|neurons|units|limit|quota)(?:\b|_)[^.\n]{0,24}(?:\bper|_per|\ba|\beach|/)[ _-]?(?:day|week|month)(?:\b|_)|\b(?:rpd|tpd)\b` +
		`|\b(?:limit|quota|allowance|usage|requests|tokens)\b[^.\n]{0,40}\b(?:for|in|of|this) (?:this |the |your )?(?:current )?(?:today|day|week|month|billing (?:cycle|period)|period)\b` +
		`|今日|每日|每周|每月|当日`)
	// spentRE finds words that it is used up.
	spentRE = regexp.MustCompile(`\bexceed(?:s|ed|ing)?\b|\bexhausted\b|\breached\b|\bused up\b|\bhit\b|\bout of\b|\bpast\b|\btoo many\b|\bover\b|\bno more\b|\bused all\b|\bmaximum usage\b|\blimited to\b|已达|上限|限额|超过`)
	// limitRateRE finds the words of a rate, under which a wait of hours is still one for the rate.
	limitRateRE = regexp.MustCompile(`\brate[- ]?limit|\bretry\b`)
	resetRE     = regexp.MustCompile(`\bquota will (?:be )?(?:reset|replenish|renew|refresh)|\bquota (?:has been |is |was )?reached|\busage limit\b|\blimit of [^.\n]{1,30} (?:per|every|in) \d+ ?h(?:ours?|rs?)?\b|\bquota (?:has been |is |was )?(?:exhausted|used up)`)
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
var minuteRE = regexp.MustCompile(`(?:\b|_)per[ _-](?:min|sec)|/ ?(?:min|sec)`)

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

// storeRE finds quotas of what is kept, not of how fast it comes: Gemini's FileStorageBytesPerProject.
var storeRE = regexp.MustCompile(`\b(?:\w*storage\w*|disk|stored)\b[^.\n]{0,40}\b(?:limit|quota|full|exceeded|space)|\b(?:limit|maximum|quota|exceeded|out of|full)\b[^.\n]{0,40}\b(?:\w*storage\w*|disk|stored)\b` +
	`|\b(?:maximum|limit|too many|number of)\b[^.\n]{0,30}\b(?:files|vector stores|assistants|fine[- ]?tun\w+ jobs|deployments)\b`)

// storeParts are parts of codes that say so: OpenAI's storage_limit_exceeded.
var storeParts = []string{"storage_limit", "storagelimit", "storage_quota", "storagequota", "storage_full", "storage_exceeded"}

// storeRateRE finds the words of a rate, at which a store may be asked.
var storeRateRE = regexp.MustCompile(`\brate\b|per[ _-]?(?:min|sec)|\brequests\b`)

// full matches refusals for want of room. It concerns what wants more of it.
func full(r *reply) bool {
	return r.status == http.StatusTooManyRequests && (r.quotaNames("storage") || r.quotaNames("bytes") ||
		codePart(storeParts...)(r) || storeRE.MatchString(r.text) && !storeRateRE.MatchString(r.text))
}

// oversizeRE finds sentences about a request that is larger than what the model or the server takes.
var oversizeRE = regexp.MustCompile(
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
var oversizedRE = regexp.MustCompile(`tokens?[^.\n]{0,40}?(\d+) > (\d+)`)

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

// brokeRE finds an account of which nothing is left: no smaller request would pass either.
var brokeRE = regexp.MustCompile(`can only afford 0\b`)

func canAffordNone(r *reply) bool { return brokeRE.MatchString(r.text) }
