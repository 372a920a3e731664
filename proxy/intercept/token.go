package intercept

import (
	"net/http"
	"strings"
)

// TokenOf returns the token in a request's Proxy-Authorization: the password of
// Basic, or its user name where there is no password, as in
// HTTPS_PROXY=http://TOKEN@127.0.0.1:8383, or Bearer's. It is "" without one.
func TokenOf(r *http.Request) string {
	value := r.Header.Get("Proxy-Authorization")
	if scheme, token, _ := strings.Cut(value, " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	user, password, ok := (&http.Request{Header: http.Header{"Authorization": {value}}}).BasicAuth()
	if ok && password == "" {
		return user
	}
	return password
}
