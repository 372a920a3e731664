package config

import (
	"net/url"
	"regexp"
	"strings"
)

// listSlip tells that a list is separated by something else than commas, "" if it is not.
func listSlip(entry string) string {
	switch {
	case strings.Contains(entry, ";"):
		return "want entries separated by commas, not semicolons"
	case strings.ContainsAny(entry, " \t\r\n"):
		return "want entries separated by commas, not white space"
	}
	return ""
}

// urlPlaceholder matches a part of a host or path that documentation leaves to the
// reader. Names in upper case alone are none: they are hosts' too.
var urlPlaceholder = regexp.MustCompile(`^(NAME|REGION|ID|RESOURCE|RESOURCE_NAME|ACCOUNT|ACCOUNT_ID|PROJECT|PROJECT_ID|LOCATION|MODEL|DEPLOYMENT|HOST|URL)$` +
	`|^YOUR[-_A-Z]*|^your[-_](resource|account|project|region|deployment|endpoint|instance|azure)\b|^[<{].*[>}]$`)

// hasPlaceholder reports whether a part of u's host or path is yet to be filled in.
func hasPlaceholder(u *url.URL) bool {
	for part := range strings.FieldsFuncSeq(u.Hostname()+"/"+u.Path, func(r rune) bool { return r == '.' || r == '/' }) {
		if urlPlaceholder.MatchString(part) {
			return true
		}
	}
	return false
}

// calls are ends of paths that are calls': no base URL has them, and Outrigger would
// put the call's path behind them once more. Where a single word could be a gateway's
// own, it counts behind a version alone.
var calls = []string{
	"/chat/completions", "/completions", "/responses", "/embeddings", "/moderations",
	"/images/generations", "/images/edits", "/images/variations", "/audio/speech", "/audio/transcriptions", "/audio/translations",
	"/v1/messages", "/v1/models", "/v1/files", "/v1/batches", "/v1/rerank",
	":generatecontent", ":streamgeneratecontent",
}

var versioned = regexp.MustCompile(`^v[0-9]+[a-z0-9]*$`)

// pathSlip tells what of an upstream's path would be there twice, "" if nothing would.
func pathSlip(path string) string {
	path = strings.ToLower(strings.TrimRight(path, "/"))
	for _, call := range calls {
		if strings.HasSuffix(path, call) {
			return "want a URL that ends before the call's path, such as https://api.openai.com/v1: what apps call is put behind it"
		}
	}
	segments := strings.Split(path, "/")
	for i := range segments[1:] {
		if segments[i] == segments[i+1] && versioned.MatchString(segments[i]) {
			return "want a URL with /" + segments[i] + " once"
		}
	}
	return ""
}
