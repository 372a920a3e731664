package upstream

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"outrigger/policy/preset"
)

// aim points a request at the upstream's URL, with the path that its provider has
// for the caller's.
func (u *API) aim(out *http.Request, call preset.Call) {
	(&httputil.ProxyRequest{Out: out}).SetURL(u.Config.URL)
	path, err := url.PathUnescape(call.Path)
	if err != nil {
		return // never: it is made of escaped parts
	}
	out.URL.Path, out.URL.RawPath = path, call.Path
}

// complete adds what the provider wants and neither the caller nor the user set.
func complete(out *http.Request, call preset.Call) {
	if name := call.Header.Name; name != "" && len(out.Header[name]) == 0 {
		out.Header[name] = []string{call.Header.Value}
	}
	if name := call.Query.Name; name != "" && !hasParameter(out.URL.RawQuery, name) {
		addQuery(out.URL, name+"="+call.Query.Value)
	}
}

// addQuery appends encoded parameters.
func addQuery(u *url.URL, parameters string) {
	if parameters != "" && u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += parameters
}

// hasParameter reports whether a query has a parameter of this name, which needs
// no escapes.
func hasParameter(query, name string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); key == name {
			return true
		}
	}
	return false
}

// setKey puts the upstream's key where the caller's credential was.
func (u *API) setKey(out *http.Request, call preset.Call, key string) {
	name := u.auth
	if name == "" {
		name = call.AuthHeader
	}
	if name == "" || name == "Authorization" {
		name, key = "Authorization", "Bearer "+key
	}
	out.Header[name] = []string{key}
}
