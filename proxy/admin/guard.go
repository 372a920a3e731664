package admin

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guarded lets through to next what may ask: GET and HEAD, and, on a loopback
// listener, callers that are no foreign web page. Every answer, a refusal too,
// carries headers that keep a browser from sniffing, framing or storing it.
func guarded(listen string, next http.Handler) http.Handler {
	host, _, _ := net.SplitHostPort(listen)
	loopback := isLoopback(host)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		switch {
		case loopback && !isLoopback(hostOf(r.Host)):
			answer(w, http.StatusForbidden, "this listener serves loopback host names only")
		case loopback && !isOwn(r.Header["Origin"], r.Host):
			answer(w, http.StatusForbidden, "this listener does not serve pages of other origins")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, "read-only: GET and HEAD")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isOwn reports whether the Origin header, as sent, is absent or names host itself.
// Two headers, "null" (sandboxed pages, file:) and what does not parse do not.
func isOwn(origin []string, host string) bool {
	if len(origin) == 0 {
		return true
	}
	u, err := url.Parse(origin[0])
	return len(origin) == 1 && err == nil && u.Scheme == "http" && strings.EqualFold(u.Host, host)
}

// hostOf returns the host in a Host header: without port, and without the
// brackets of an IPv6 address.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
}

// isLoopback reports whether host is localhost, a name under it (RFC 6761,
// section 6.3: no DNS answers for those) or a loopback address.
func isLoopback(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
