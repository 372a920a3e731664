package intercept

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrAddress is in the error about an address that no tunnel may lead to.
var ErrAddress = errors.New("no tunnel may lead to this address")

// notPublic4 is what of IPv4 is not another machine on the internet: IANA's
// special-purpose registry (RFC 6890 and its updates) but for anycast services that
// are public, multicast (RFC 5771), and the address of Azure's host agent.
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
var notPublic4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
)

// global6 is the only part of IPv6 that is in public use (RFC 4291, section 2.4);
// notPublic6 is what of it is not another machine on the internet: protocol
// assignments with Teredo, documentation, 6to4.
// https://www.iana.org/assignments/iana-ipv6-special-registry
var (
	global6    = netip.MustParsePrefix("2000::/3")
	notPublic6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

// nat64 is the well-known prefix whose last four bytes are an IPv4 address (RFC
// 6052): where DNS64 is used, every IPv4 host has such an address. Local prefixes
// (RFC 8215) are not in global6.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(all ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(all))
	for i, text := range all {
		parsed[i] = netip.MustParsePrefix(text)
	}
	return parsed
}

// isPublic reports whether ip is another machine's on the internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ip.Is4() {
		return !within(ip, notPublic4)
	}
	return global6.Contains(ip) && !within(ip, notPublic6)
}

func within(ip netip.Addr, all []netip.Prefix) bool {
	for _, p := range all {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// onlyPublic is a net.Dialer's Control: it sees the address that a name was resolved
// to, right before it is connected to, so that no name can stand for another one in
// between (DNS rebinding).
func onlyPublic(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr().WithZone("")) || to.Addr().Zone() != "" {
		return fmt.Errorf("%w: %s", ErrAddress, address)
	}
	return nil
}
