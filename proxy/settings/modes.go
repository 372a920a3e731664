package settings

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outrigger/proxy/carrier"
	"outrigger/proxy/idempotency/store"
)

// Mode says what is done with requests. The zero value means ModeEnforce.
type Mode string

// The modes.
const (
	// ModeEnforce paces, retries, refuses and fails over.
	ModeEnforce Mode = "enforce"
	// ModeObserve passes every call on once, at once and unchanged, and tells what ModeEnforce
	// would have done.
	ModeObserve Mode = "observe"
)

// ConcurrencyMode says whether limits on concurrency are learned. The zero value means
// ConcurrencyLearn.
type ConcurrencyMode string

// The modes.
const (
	ConcurrencyLearn ConcurrencyMode = "learn"
	ConcurrencyOff   ConcurrencyMode = "off"
)

// HTTP2Mode says whether an upstream is spoken to in HTTP/2. The zero value means HTTP2Auto.
type HTTP2Mode string

// The modes.
const (
	// HTTP2Auto speaks it where the upstream offers it and it works.
	HTTP2Auto HTTP2Mode = "auto"
	// HTTP2Off speaks HTTP/1.1 only.
	HTTP2Off HTTP2Mode = "off"
)

// WebSocketMode says whether WebSockets are carried. The zero value means WebSocketPass.
type WebSocketMode string

// The modes for WebSockets.
const (
	WebSocketPass WebSocketMode = "pass"
	// WebSocketRefuse answers 426. What goes through a WebSocket is not paced or
	// retried call by call, and some clients have a way by HTTP beside it: Codex takes that at
	// once after a 426 (openai/codex#43353), and after any other failure only when five
	// more tries have failed.
	WebSocketRefuse WebSocketMode = "refuse"
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

// Observed is c without what observe mode has no use for: no answer is kept for others, and no
// limit is shared with those who enforce it.
func (c Config) Observed() Config {
	c.Rejoin, c.Fleet, c.Store.Spec = 0, Fleet{}, store.Spec{}
	return c
}
