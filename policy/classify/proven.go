package classify

import (
	"regexp"
	"strings"
)

// paceRE finds words about how fast or how much a caller may ask. A refusal that has none of them, such as
// "Extra usage is required for long context requests." (anthropics/claude-code#41054), may have any reason, whatever
// type it comes under.
var paceRE = regexp.MustCompile(`(?:\b|_)rate[ _-]?limit|\bratelimit|\brequest rate\b|\btoo many\b|\btoo (?:fast|quickly|frequent)|\bfrequen(?:cy|tly)\b` +
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
