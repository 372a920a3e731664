package classify

import (
	"net/http"
	"regexp"
	"strings"
)

// linkRE finds links in lower-cased texts: host, path and anchor.
var linkRE = regexp.MustCompile(`https?://([\w.-]+)([^\s"'<>)\]#]*)(?:#([\w.%-]+))?`)

// rateAnchorRE finds an anchor or the end of a path about a rate: "token-limit", "rate-limits", "429-throttling".
var rateAnchorRE = regexp.MustCompile(`(?:token|rate|request|tpm|rpm|qps|throttl\w*|concurren\w*)s?[-_]?(?:limit|quota|per)|throttl|rate-?limit`)

// rateLimitRE finds a text that says rate under a code that says quota (SambaNova).
var rateLimitRE = regexp.MustCompile(`\brate limit (?:was |has been |is )?(?:exceeded|reached)`)

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
