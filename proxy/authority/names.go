package authority

import (
	"crypto/x509"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// loopback are the names of this machine that every authority may vouch for.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

// canonical returns the one form of a host name or IP address.
func canonical(name string) string {
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return name
}

// unique returns the canonical forms of names and of loopback, each once, in order.
func unique(names []string) []string {
	all := map[string]bool{}
	for _, name := range slices.Concat(names, loopback) {
		all[canonical(name)] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// split parts names into host names and IP addresses.
func split(names []string) ([]string, []net.IP) {
	var hosts []string
	var addresses []net.IP
	for _, name := range names {
		if ip := net.ParseIP(canonical(name)); ip != nil {
			addresses = append(addresses, ip)
		} else {
			hosts = append(hosts, canonical(name))
		}
	}
	return hosts, addresses
}

// single is the network that holds ip alone, in the length that belongs to it.
func single(ip net.IP) *net.IPNet {
	if v4 := ip.To4(); v4 != nil {
		ip = v4
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
}

// permittedBy returns the names of a certificate's name constraint.
func permittedBy(cert *x509.Certificate) map[string]bool {
	all := map[string]bool{}
	for _, name := range cert.PermittedDNSDomains {
		all[canonical(name)] = true
	}
	for _, network := range cert.PermittedIPRanges {
		all[canonical(network.IP.String())] = true
	}
	return all
}
