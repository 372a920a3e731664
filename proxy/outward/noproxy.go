package outward

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// exceptions are what NO_PROXY lists: hosts that are called straight.
type exceptions struct {
	all     bool
	entries []exception
}

// exception is one entry: a network, or a name. A name stands for those under it as well,
// one that begins with a dot for those alone. With a port it holds for that alone.
type exception struct {
	network netip.Prefix
	name    string
	port    string
}

// parseExceptions reads a list that is separated by commas or, as some write it, by spaces.
func parseExceptions(list string) exceptions {
	var e exceptions
	for entry := range strings.FieldsFuncSeq(strings.ToLower(list), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if entry == "*" {
			e.all = true
			continue
		}
		if network, err := netip.ParsePrefix(entry); err == nil {
			e.entries = append(e.entries, exception{network: network.Masked()})
			continue
		}
		host, port := entry, ""
		if _, err := netip.ParseAddr(entry); err != nil { // an IPv6 address has colons too
			if h, p, err := net.SplitHostPort(entry); err == nil {
				host, port = h, p
			}
		}
		host = strings.TrimSuffix(strings.TrimPrefix(strings.Trim(host, "[]"), "*"), ".")
		if ip, err := netip.ParseAddr(host); err == nil {
			e.entries = append(e.entries, exception{network: netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), port: port})
		} else if host != "" {
			e.entries = append(e.entries, exception{name: host, port: port})
		}
	}
	return e
}

// hold reports whether u is called straight: it is listed, or on this machine.
func (e exceptions) hold(u *url.URL) bool {
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ip, err := netip.ParseAddr(host)
	ip = ip.Unmap()
	if e.all || host == "" || host == "localhost" || err == nil && ip.IsLoopback() {
		return true
	}
	for _, x := range e.entries {
		if (x.port == "" || x.port == port) && x.matches(host, ip) {
			return true
		}
	}
	return false
}

func (x exception) matches(host string, ip netip.Addr) bool {
	if x.name == "" {
		return ip.IsValid() && x.network.Contains(ip)
	}
	if strings.HasPrefix(x.name, ".") {
		return strings.HasSuffix(host, x.name)
	}
	return host == x.name || strings.HasSuffix(host, "."+x.name)
}
