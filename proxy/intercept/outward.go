package intercept

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"outrigger/proxy/outward"
)

// Outward returns what p has to say about a request's way out, but never this process
// itself, which listens on listen: where an app's HTTPS_PROXY is Outrigger's too, requests
// would go in a circle.
func Outward(p *outward.Proxies, listen string) func(*http.Request) (*url.URL, error) {
	return butNotSelf(func(r *http.Request) (*url.URL, error) {
		via, _ := p.For(r.URL)
		return via, nil
	}, listen)
}

// WayOut returns the proxy that a request to u goes through and the variable that names
// it, nil for none. It is never this process itself.
func WayOut(p *outward.Proxies, listen string, u *url.URL) (*url.URL, string) {
	via, name := p.For(u)
	if via == nil || isSelf(via, listen) {
		return nil, ""
	}
	return via, name
}

func butNotSelf(proxy func(*http.Request) (*url.URL, error), listen string) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		via, err := proxy(r)
		if via != nil && isSelf(via, listen) {
			return nil, nil //nolint:nilnil // http.Transport's way to say that there is no proxy
		}
		return via, err
	}
}

// isSelf reports whether a proxy is the listener on listen: the same port, and its
// host or a loopback one.
func isSelf(via *url.URL, listen string) bool {
	host, port, err := net.SplitHostPort(listen)
	_, viaPort, viaErr := net.SplitHostPort(Authority(via))
	if err != nil || viaErr != nil || port != viaPort {
		return false
	}
	name := canonical(via.Hostname())
	ip, err := netip.ParseAddr(name)
	return name == canonical(host) || strings.EqualFold(name, "localhost") || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
