package main

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkListeners notes listener addresses that cannot be, or cannot both be.
func checkListeners(c *Config, found *mistakes) {
	const listen, admin = prefix + "LISTEN", prefix + "ADMIN_LISTEN"
	if !isAddress(c.Listen) && !found.have(listen) {
		found.add(listen, c.Listen, "want host:port, such as 127.0.0.1:8383 or :8383")
	}
	if c.AdminListen != "" && !isAddress(c.AdminListen) && !found.have(admin) {
		found.add(admin, c.AdminListen, "want host:port, such as 127.0.0.1:8384 or :8384, or off")
	}
	if !found.have(listen, admin) && overlap(c.Listen, c.AdminListen) {
		found.add(admin, c.AdminListen, "want another port than that of "+listen+", which is "+c.Listen)
	}
}

// isAddress reports whether text is host:port with a numeric port (0: any free
// one), where host is empty, an IP address or a name.
func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil && (host == "" || isHost(host))
}

// isHost reports whether host is an IP address, with a zone or without, or has the
// form of a host name (RFC 1123, section 2.1, and the underscore that Docker
// and others use).
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	name := strings.TrimSuffix(host, ".")
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, isNotOfName) {
			return false
		}
	}
	return len(name) <= 253
}

func isNotOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// overlap reports whether two listeners could not be opened together: the same
// port, which is not "any free one", on the same host or on all of them.
func overlap(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	numberA, _ := strconv.Atoi(portA)
	numberB, _ := strconv.Atoi(portB)
	hostA, hostB = bindingOf(hostA), bindingOf(hostB)
	return numberA == numberB && numberA != 0 && (hostA == hostB || hostA == "" || hostB == "")
}

// bindingOf returns the address that a listener on host is bound to, "" for all.
func bindingOf(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return strings.ToLower(host)
	case ip.IsUnspecified():
		return ""
	}
	return ip.Unmap().String()
}

// isLoopback reports whether a listener on address can be reached from its own
// machine only. Names other than localhost might resolve to anything.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
