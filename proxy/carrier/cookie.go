package carrier

import "strings"

// balancers are cookies by which load balancers find the same machine again (Cloudflare,
// AWS, Google, Azure). They change by themselves, and say nothing of the caller.
var balancers = [...]string{"__cf_bm", "_cfuvid", "__cflb", "__cfruid", "AWSALB", "AWSELB", "GCLB", "ARRAffinity"}

// cookies calls f with each cookie, name=value, that may tell callers apart.
func cookies(values []string, f func(cookie string)) {
	for _, value := range values {
		for cookie := range strings.SplitSeq(value, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" && !balances(cookie) {
				f(cookie)
			}
		}
	}
}

func balances(cookie string) bool {
	for _, name := range balancers {
		if strings.HasPrefix(cookie, name) {
			return true
		}
	}
	return false
}
