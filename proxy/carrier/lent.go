package carrier

import (
	"net/http"
	"strings"
)

// IsLent reports whether a header that the configuration adds to every request is a
// credential, which whoever can call would then use. own are further headers that carry a key.
func IsLent(name, value string, own ...string) bool {
	if value == "" {
		return false
	}
	name = http.CanonicalHeaderKey(name)
	if name == "Sec-Websocket-Protocol" {
		lent := false
		protocols([]string{value}, func(_ string, kind Kind) { lent = lent || kind == Proof })
		return lent
	}
	return isLent(kindOf(name, []string{value}, own), name, value)
}

// IsLentParameter is IsLent for a query parameter.
func IsLentParameter(name, value string) bool {
	return value != "" && isLent(Parameter(name), name, value)
}

// isLent takes what nobody knows for a credential if it is as long and mixed as one, and
// does not say that it is a name: a token asked for in vain costs a line of configuration,
// a key that is lent out costs more.
func isLent(kind Kind, name, value string) bool {
	switch kind {
	case Proof:
		return true
	case Unknown:
		return writtenLikeKey(value) || isRandom(value) && !strings.HasSuffix(strings.ToLower(name), "id")
	}
	return false
}

// minRandom is the least length of what is taken for random.
const minRandom = 20

// isRandom reports whether a value is long, of letters and digits, and has both.
func isRandom(value string) bool {
	letters, digits := 0, 0
	for _, c := range []byte(value) {
		switch {
		case isLetter(c):
			letters++
		case c >= '0' && c <= '9':
			digits++
		case strings.IndexByte("-_.+/=~", c) < 0:
			return false
		}
	}
	return len(value) >= minRandom && letters > 0 && digits > 0
}
