package classify

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// zeroLimitRE matches "limit: 0" and "limit=0", a model that the plan does not have, but no "limit: 0.5" and no
// "remaining limit: 0".
var zeroLimitRE = regexp.MustCompile(`(?:^|[^\w\s-]\s*|\b(?:rate|token|request|quota|the|your|with|a|of|model) )limit(?: of| is)? ?[:=]? ?"?(?:0|zero)(?:[^.\w]|\.\D|\.?$)`)

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
