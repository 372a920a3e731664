package access

import (
	"net/http"
	"slices"
	"strings"
)

// IsPreflight reports whether a browser asks, by itself, whether a page may send a
// request (WHATWG Fetch, "CORS-preflight request").
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// Page returns the origin of the page that calls, if it is one that may, or "". An
// intercepted call's page deals with the upstream itself.
func (cs *Callers) Page(r *http.Request, target string) string {
	origin := r.Header.Get("Origin")
	if target != "" || !slices.Contains(cs.origins, strings.ToLower(origin)) {
		return ""
	}
	return origin
}
