package intercept

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Authority returns the canonical host:port that u stands for: lower case, with the
// scheme's port where it has none.
func Authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(canonical(u.Hostname()), port)
}

// canonical returns the one form of a host name or IP address.
func canonical(host string) string {
	ip, err := netip.ParseAddr(host) // before a dot is cut off, which may end a zone
	if err != nil {
		host = strings.TrimSuffix(strings.ToLower(host), ".")
		ip, err = netip.ParseAddr(host)
	}
	if err == nil {
		return ip.Unmap().String()
	}
	return host
}

// parse reads the target of a CONNECT: host:port and nothing else (RFC 9112,
// section 3.2.3). It returns the canonical host and the port.
func parse(target string) (string, string, bool) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return "", "", false
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != port || !isHost(host) {
		return "", "", false
	}
	return canonical(host), port, true
}

// isHost reports whether host is an IP address or has the form of a name: letters,
// digits, hyphens, underscores and dots.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > 253 || strings.Contains("."+name, "..") || strings.HasSuffix(name, ".") {
		return false // an empty label
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

type targetKey struct{}

// WithTarget returns a context for the connections that were a tunnel to target.
func WithTarget(ctx context.Context, target string) context.Context {
	return context.WithValue(ctx, targetKey{}, target)
}

type tokenKey struct{}

// WithToken returns a context for the connections whose tunnel was opened with token.
func WithToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

// Token returns the client token that the tunnel was opened with which the connection
// of a request was, or "".
func Token(ctx context.Context) string {
	token, _ := ctx.Value(tokenKey{}).(string)
	return token
}

// Target returns the authority that the connection of a request was a tunnel to, or
// "" if it was none.
func Target(ctx context.Context) string {
	target, _ := ctx.Value(targetKey{}).(string)
	return target
}
