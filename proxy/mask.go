package proxy

import (
	"slices"
	"strings"

	"outrigger/internal/clip"
	"outrigger/proxy/carrier"
)

// mask hides credentials in what an upstream said, which goes to the log or into an error
// of Outrigger's own: those that the request was sent with, and what looks like one, since no
// pattern knows every kind of key. They are hidden before the text is cut: half a key is no match.
func (x *Run) mask(message string) string {
	for _, secret := range x.quotable() {
		message = strings.ReplaceAll(message, secret, carrier.Masked)
	}
	return maskKeys(message)
}

// maskKeys is mask for what is not known to come from the present request.
func maskKeys(message string) string { return clip.Text(carrier.Mask(message), maxMessage) }

// conceal masks what an upstream's error says.
func (x *Run) conceal(a *attempt) {
	e := &a.verdict.Error
	for _, field := range [...]*string{&e.Type, &e.Code, &e.Param, &e.Message} {
		if *field != "" {
			*field = x.mask(*field)
		}
	}
}

// quotable are the secrets that an answer could quote of the request as the upstream got it,
// the longest first: one may be a part of another.
func (x *Run) quotable() []string {
	if x.outbound == nil {
		return nil
	}
	secrets := carrier.Secrets(x.outbound.Header, x.outbound.URL.RawQuery, x.credentials.own...)
	own := x.up.secrets.Load()
	for _, value := range slices.Concat(own.values, own.before) {
		if len(value) >= carrier.MinSecret {
			secrets = append(secrets, value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// maskedPath is a caller's path without what looks like a key in it.
func maskedPath(path string) string {
	if hasLongSegment(path) {
		path = carrier.Mask(path)
	}
	return path
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
