package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkListeners notes listener addresses that cannot be, or cannot both be.
func checkListeners(c *Settings, found *mistakes) {
	const listen, admin = Prefix + "LISTEN", Prefix + "ADMIN_LISTEN"
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

// IsLoopback reports whether a listener on address, host:port, can be reached from its own
// machine only. Names other than localhost might resolve to anything.
func IsLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// AdminAddress returns where the admin listener of a process with that environment
// can be reached, as host:port with an address that can be dialled. It is an error if there
// is no such listener, or if its port is not known beforehand. No other variable is read, but
// for OUTRIGGER_ENV_FILE, which may set it: a probe should not open secrets.
func AdminAddress(environ []string) (string, error) {
	address := adminListen(environ)
	if address == "" {
		return "", errors.New(Prefix + "ADMIN_LISTEN is off: there is no listener to ask")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isPort(port, false) {
		return "", fmt.Errorf("%sADMIN_LISTEN=%q: want host:port with a port over 0", Prefix, Presentable(address))
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		host = "127.0.0.1"
	case err == nil && ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

// adminListen returns OUTRIGGER_ADMIN_LISTEN as it was given, or its default; "" is off.
func adminListen(environ []string) string {
	both, _ := readEnvFile(environ, &mistakes{}).beneath(environ)
	given := environmentOf(both)
	for _, v := range variablesOf(&Settings{}, Prefix) {
		if v.Name == Prefix+"ADMIN_LISTEN" {
			if v.find(given); !v.isZero() {
				return v.Text
			}
		}
	}
	return ""
}
