package classify

import (
	"net/http"
	"regexp"
	"time"
)

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
var noModelRE = regexp.MustCompile(`^(?:error: ?)?(?:the |this |requested )*model [^\n.]{0,20}?\S{0,80} ?(?:is |was |does )?(?:not|un)[ -]?(?:found|supported|available|exist|known)\b`)

// absentRE finds one of a model that a failed server names.
var absentRE = regexp.MustCompile(`^(?:error: ?)?(?:the |this |requested )*model \S{1,80} (?:was |is |does |could )?not (?:be )?(?:found|exist)\b`)

// namedBusy matches codes about a lack of capacity, under the statuses that say nothing better.
func namedBusy(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 422, 429, 498, 500, 502, 503, 504, 529:
		return r.named&namesBusy != 0
	}
	return false
}

// hurryRE finds a rate in the text of an answer that failed by its status.
var hurryRE = regexp.MustCompile(`\brate[- ]?limited\b|\brate[- ]?limits?\b[^.\n]{0,40}?\b(?:exceed|reach|hit\b)|\b(?:exceed(?:ed|s|ing)?|reached|hit|over) (?:[\w-]+ ){0,4}?rate[- ]?limit|^(?:error: ?)?rate limit(?:ing)?$|\btoo many (?:concurrent |simultaneous |parallel )?(?:requests|calls|queries|connections)\b|\bthrottl(?:ed|ing)\b` +
	`|\bconcurren\w+[^.\n]{0,30}\b(?:limit|quota|exceed\w*|reached)\b|\bexceed\w*[^.\n]{0,30}\bconcurren|请求过于频繁|频率限制|速率限制|并发`)

func hurries(text string) bool {
	return saysAny(text, "rate", "too many", "throttl", "concurren", "频", "速率", "并发") && hurryRE.MatchString(text)
}

// hurried matches such texts under 5xx and 403.
func hurried(r *reply) bool {
	switch r.status {
	case 500, 502, 503:
		return hurries(cut(r.text, crowdMax))
	case 403:
		return hurries(cut(r.text, crowdMax)) && r.opens(hurryRE) || rateWords(r) && r.opens(overRE)
	}
	return false
}
