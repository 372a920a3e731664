package proxy

import (
	"slices"
	"strings"

	"outrigger/proxy/carrier"
)

// maxMessage bounds an upstream's message in a log line.
const maxMessage = 300

// mask hides credentials in what an upstream said, which goes to the log or into an error
// of Outrigger's own: those that the request was sent with, and what looks like one, since no
// pattern knows every kind of key. They are hidden before the text is cut: half a key is no match.
func (x *exchange) mask(message string) string {
	for _, secret := range x.secrets() {
		message = strings.ReplaceAll(message, secret, carrier.Masked)
	}
	return maskKeys(message)
}

// maskKeys is mask for what is not known to come from the present request.
func maskKeys(message string) string {
	message = carrier.Mask(message)
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return strings.ToValidUTF8(message, "?")
}

// conceal masks what an upstream's error says.
func (x *exchange) conceal(a *attempt) {
	e := &a.verdict.Error
	for _, field := range [...]*string{&e.Type, &e.Code, &e.Param, &e.Message} {
		if *field != "" {
			*field = x.mask(*field)
		}
	}
}

// secrets returns what must not be quoted of the request as the upstream got it, the
// longest first: one may be a part of another.
func (x *exchange) secrets() []string {
	if x.outbound == nil {
		return nil
	}
	u := &x.up.config
	secrets := carrier.Secrets(x.outbound.Header, x.outbound.URL.RawQuery, x.p.credentials.own...)
	own := []string{u.APIKey.Reveal()}
	for _, pairs := range [...][]Pair{u.Headers, u.Query} {
		for _, p := range pairs {
			own = append(own, p.Value)
		}
	}
	for _, value := range own {
		if len(value) >= carrier.MinSecret {
			secrets = append(secrets, value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// maxPath bounds a path in a log line.
const maxPath = 200

// loggable bounds a caller's path for the log, without what looks like a key in it.
func loggable(path string) string {
	if hasLongSegment(path) {
		path = carrier.Mask(path)
	}
	if len(path) > maxPath {
		path = path[:maxPath] + "..."
	}
	return strings.ToValidUTF8(path, "?")
}

// hasLongSegment reports whether a segment of a path is as long as a key; those of the
// API's own paths are not.
func hasLongSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) >= shortestKey {
			return true
		}
	}
	return false
}

// shortestKey is fewer characters than any provider's key has.
const shortestKey = 16

// maxLabel bounds a model's name as a label value.
const maxLabel = 64

// labelText makes a caller's text a valid label value.
func labelText(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	return strings.ToValidUTF8(s, "?")
}
