package access

import (
	"cmp"
	"net/http"
	"strings"

	"outrigger/proxy/intercept"
	"outrigger/proxy/wire"
)

const (
	// labelChars is how much of a credential the log shows, for operators to tell callers apart.
	labelChars = 4
	// labelLeast is the shortest credential that is shown a part of: what is left of it has
	// 16 characters, which nobody guesses.
	labelLeast = 20
)

// labelHeaders are where most callers have their key. Others have no label.
var labelHeaders = [...]string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"}

// endOf returns the last characters of what the caller of r presents, for the log: of its client
// token where callers present one, else of its own credential.
func (cs *Callers) endOf(r *http.Request) string {
	if cs.HaveTokens() {
		return lastOf(cmp.Or(r.Header.Get(wire.HeaderToken), intercept.Token(r.Context()), intercept.TokenOf(r)))
	}
	for _, name := range labelHeaders {
		if value := r.Header.Get(name); value != "" {
			return lastOf(bareKey(value))
		}
	}
	return ""
}

// bareKey returns a header's credential without its scheme. One that is no key but, say, a
// user and a password in base64 is nothing to be shown.
func bareKey(value string) string {
	scheme, key, found := strings.Cut(strings.TrimSpace(value), " ")
	switch {
	case !found:
		return scheme
	case strings.EqualFold(scheme, "Bearer"):
		return strings.TrimSpace(key)
	}
	return ""
}

// lastOf returns the last characters of a credential that is long enough.
func lastOf(key string) string {
	if len(key) < labelLeast || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return key[len(key)-labelChars:]
}
