package settings

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outrigger/proxy/carrier"
)

// CallerKeyMode says whether the credential that a caller sent goes to an
// upstream that has no key of its own. The zero value means CallerKeyAuto.
type CallerKeyMode string

// The modes.
const (
	// CallerKeyAuto sends it to the first upstream's host alone: that is the one the
	// app believes it talks to. Any other gets none, unless it is asked for by name.
	CallerKeyAuto CallerKeyMode = "auto"
	// CallerKeySend sends it all the same: both hosts know the same keys.
	CallerKeySend CallerKeyMode = "send"
	// CallerKeyDrop never sends it: the upstream asks for none.
	CallerKeyDrop CallerKeyMode = "drop"
)

// GetsCallerKey reports whether the credential of a caller that did not ask for u by
// name goes there. first is the URL of the first upstream. A key of u's own takes
// its place.
func (u *Upstream) GetsCallerKey(first *url.URL) bool {
	switch u.CallerKey {
	case CallerKeySend:
		return true
	case CallerKeyDrop:
		return false
	default:
		return SameHost(first, u.URL)
	}
}

// LendsKey reports whether requests get a credential of the configuration's on their way to
// u: whoever can call then uses it.
func (u *Upstream) LendsKey() bool {
	return !u.APIKey.IsZero() ||
		slices.ContainsFunc(u.Headers, func(p Pair) bool {
			return carrier.IsLent(p.Name, p.Value, http.CanonicalHeaderKey(u.AuthHeader))
		}) ||
		slices.ContainsFunc(u.Query, func(p Pair) bool { return carrier.IsLentParameter(p.Name, p.Value) })
}

// SameHost reports whether what is meant for the host of a may go to that of b: it
// has the same name, whatever the port, and is not reached less safely. All names
// of the loopback interface are one. No URL is nobody's host.
func SameHost(a, b *url.URL) bool {
	if a == nil || b == nil || a.Scheme == "https" && b.Scheme != "https" {
		return false
	}
	return strings.EqualFold(a.Hostname(), b.Hostname()) || IsLoopback(a) && IsLoopback(b)
}

// IsLoopback reports whether u names this machine.
func IsLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}
