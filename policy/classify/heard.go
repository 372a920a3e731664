package classify

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// namedStatus returns the status of what codes name by their words, 0 if none.
func namedStatus(n named) int {
	for _, c := range [...]struct {
		is     named
		status int
	}{
		{namesDebt | namesPeriod, http.StatusPaymentRequired},
		{namesRate, http.StatusTooManyRequests},
		{namesQuota, http.StatusPaymentRequired},
		{namesSize | namesTokens, http.StatusBadRequest},
		{namesBusy | namesLoading, http.StatusServiceUnavailable},
		{namesModel, http.StatusNotFound},
		{namesRegion | namesPlan, http.StatusForbidden},
		{namesAPIKey, http.StatusUnauthorized},
	} {
		if n&c.is != 0 {
			return c.status
		}
	}
	return 0
}

// quotedStatusRE finds the status that a gateway quotes from behind it: "Error code: 503 - {…", "status code 429".
var quotedStatusRE = regexp.MustCompile(`\b(?:error code|status code|status|http(?:/[\d.]+)?|error)\b[ :=(]{1,3}(?:is |of )?(4(?:08|13|29)|5\d\d)\b`)

// saidStatus returns the status of an error inside a 2xx whose codes say nothing, by the words of its text; 500 if those
// say nothing either. A quoted 401 or 403 is about the gateway's own key.
func (r *reply) saidStatus() int {
	text := cut(r.text, crowdMax)
	about := saysAny(text, accountWords...)
	switch {
	case loadingRE.MatchString(text) && !loadFailedRE.MatchString(text):
		return http.StatusServiceUnavailable
	case saysQuota(r):
		return http.StatusTooManyRequests
	case saysAny(text, billingPhrases...), about && debtRE.MatchString(text):
		return http.StatusPaymentRequired
	case hurries(text), about && minuteRE.MatchString(text) && overRE.MatchString(text):
		return http.StatusTooManyRequests
	case about && overRE.MatchString(text), saysUsed(text):
		return http.StatusPaymentRequired
	case crowdRE.MatchString(text):
		return http.StatusServiceUnavailable
	case saysAny(text, oversizePhrases...), overflows(text):
		return http.StatusBadRequest
	case saysNoModel(r), saysAny(text, "model", "function") && goneRE.MatchString(text):
		return http.StatusNotFound
	case saysAny(text, "key", "token", "credential", "auth", "account") && deadRE.MatchString(text):
		return http.StatusUnauthorized
	}
	if m := quotedStatusRE.FindStringSubmatch(r.text); m != nil {
		status, _ := strconv.Atoi(m[1])
		return status
	}
	return http.StatusInternalServerError
}

// accountWords are roots of which every text about what an account has left holds one: a cheap test before the patterns.
var accountWords = strings.Fields(`credit balance fund overdue arrear standing quota purchase subscri membership licen plan trial tier billing
	payment invoice bill spend usage allowance points requests tokens messages generations wallet top recharge 欠费 余额 额度 配额`)

// overRE finds a quota that is used up, without a word of how long it is for.
var overRE = regexp.MustCompile(`\b(?:quotas?|usage limits?|allowance|points) (?:is |are |was |were |has been |have been |have |has )?(?:exceeded|exhausted|reached|used up|depleted|insufficient|run out)\b` +
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
