package config

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"outrigger/proxy/intercept"
)

// checkSelf notes upstreams that are this process: each request would go in a circle.
func checkSelf(c *Settings, found *mistakes) {
	if found.have(Prefix+"LISTEN", Prefix+"ADMIN_LISTEN") {
		return
	}
	for _, u := range c.Upstreams {
		switch {
		case u.URL == nil:
		case leadsTo(u.URL, c.Listen):
			found.add(Prefix+"UPSTREAMS", u.Name+"=…", "want the API's own URL: this one is "+Prefix+"LISTEN, so that requests would go in a circle")
		case c.AdminListen != "" && leadsTo(u.URL, c.AdminListen):
			found.add(Prefix+"UPSTREAMS", u.Name+"=…", "want the API's own URL: this one is "+Prefix+"ADMIN_LISTEN")
		}
	}
}

// lookupPatience bounds the look-up of a name, which only one under the listener's
// own port wants.
const lookupPatience = time.Second

// leadsTo reports whether u is an address of a listener on listen.
func leadsTo(u *url.URL, listen string) bool {
	on, port, _ := net.SplitHostPort(listen)
	host, urlPort, _ := net.SplitHostPort(intercept.Authority(u))
	if port != urlPort || strings.Trim(port, "0") == "" {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return binds(on, ip)
	}
	if strings.EqualFold(host, "localhost") || strings.EqualFold(host, on) {
		return strings.EqualFold(host, on) || binds(on, netip.MustParseAddr("127.0.0.1")) || binds(on, netip.IPv6Loopback())
	}
	if own, err := os.Hostname(); err == nil && bindingOf(on) == "" && strings.EqualFold(host, own) {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupPatience)
	defer cancel()
	found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host) // what has no address leads nowhere
	return slices.ContainsFunc(found, func(ip netip.Addr) bool { return binds(on, ip) })
}

// binds reports whether a connection to ip reaches a listener on the host on.
func binds(on string, ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	bound := bindingOf(on)
	switch bound {
	case "":
		return ip.IsUnspecified() || ip.IsLoopback() || isOwn(ip)
	case "127.0.0.1": // and ::1 with it: see listenBoth
		return ip.IsUnspecified() || ip == netip.IPv6Loopback() || ip.String() == bound
	case "::1":
		return ip == netip.IPv6Unspecified() || ip == netip.IPv6Loopback()
	}
	return ip.String() == bound
}

// isOwn reports whether ip is an address of this machine.
func isOwn(ip netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(addresses, func(a net.Addr) bool {
		own, err := netip.ParsePrefix(a.String())
		return err == nil && own.Addr().Unmap().WithZone("") == ip
	})
}
