package access

import "net/http"

// IsPreflight reports whether a browser asks, by itself, whether a page may send a
// request (WHATWG Fetch, "CORS-preflight request").
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}
