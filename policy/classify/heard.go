package classify

import (
	"net/http"
	"regexp"
	"strconv"
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
	switch {
	case loadingRE.MatchString(r.text) && !loadFailedRE.MatchString(r.text):
		return http.StatusServiceUnavailable
	case saysQuota(r):
		return http.StatusTooManyRequests
	case debtRE.MatchString(r.text), saysAny(r.text, billingPhrases...):
		return http.StatusPaymentRequired
	case hurryRE.MatchString(r.text), minuteRE.MatchString(r.text) && overRE.MatchString(r.text):
		return http.StatusTooManyRequests
	case overRE.MatchString(r.text), saysUsed(r.text):
		return http.StatusPaymentRequired
	case crowdRE.MatchString(cut(r.text, crowdMax)):
		return http.StatusServiceUnavailable
	case saysAny(r.text, oversizePhrases...), overflows(r.text):
		return http.StatusBadRequest
	case saysNoModel(r), goneRE.MatchString(r.text):
		return http.StatusNotFound
	case deadRE.MatchString(r.text):
		return http.StatusUnauthorized
	}
	if m := quotedStatusRE.FindStringSubmatch(r.text); m != nil {
		status, _ := strconv.Atoi(m[1])
		return status
	}
	return http.StatusInternalServerError
}

// overRE finds a quota that is used up, without a word of how long it is for.
var overRE = regexp.MustCompile(`\b(?:quotas?|usage limits?|allowance|points) (?:is |are |was |were |has been |have been |have |has )?(?:exceeded|exhausted|reached|used up|depleted|insufficient|run out)\b` +
	`|\b(?:exceed(?:ed|s)?|reached|exhausted|used up|used all|hit|insufficient|out of|over|no) (?:[\w'’-]+ {1,2}){0,4}?(?:quota|usage limit|allowance|points|credits)\b|\bfrom quota was rejected\b|\b(?:exhausted|used up|used all|no (?:remaining|more)|run out of) (?:[\w'’-]+ ){0,3}?(?:requests|tokens|messages|generations)\b|\binsufficient tokens\b|\bwallet is empty\b|\bno active (?:subscription|membership)\b` +
	`|\b(?:subscribe|top[- ]?up|recharge) to continue\b|\bplease (?:top[- ]?up|recharge)\b|额度(?:不足|已用)|配额(?:不足|已用)`)

// over matches such texts under the statuses that refuse who asks, and those of a failure.
func over(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 412, 422, 500, 502, 503:
		return r.opens(overRE) && !rateWords(r) && !googleExhausted(r) && (r.told.Window == 0 || r.told.Window >= longAllowance) &&
			!saysAny(r.text, "storage", "disk", "service quota")
	}
	return false
}
