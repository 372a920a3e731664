package loop

import (
	"slices"
	"strings"

	"outrigger/proxy/attempt"
	"outrigger/proxy/carrier"
	"outrigger/proxy/wire"
)

// Mask hides credentials in what an upstream said, which goes to the log or into an error
// of Outrigger's own: those that the request was sent with, and what looks like one, since no
// pattern knows every kind of key. They are hidden before the text is cut: half a key is no match.
func (x *Run) Mask(message string) string {
	for _, secret := range x.quotable() {
		message = strings.ReplaceAll(message, secret, carrier.Masked)
	}
	return wire.MaskKeys(message)
}

// conceal masks what an upstream's error says.
func (x *Run) conceal(a *attempt.Attempt) {
	e := &a.Verdict.Error
	for _, field := range [...]*string{&e.Type, &e.Code, &e.Param, &e.Message} {
		if *field != "" {
			*field = x.Mask(*field)
		}
	}
}

// quotable are the secrets that an answer could quote of the request as the upstream got it,
// the longest first: one may be a part of another.
func (x *Run) quotable() []string {
	if x.Outbound == nil {
		return nil
	}
	secrets := carrier.Secrets(x.Outbound.Header, x.Outbound.URL.RawQuery, x.Credentials.Own...)
	own := x.Up.Secrets.Load()
	for _, value := range slices.Concat(own.Values, own.Before) {
		if len(value) >= carrier.MinSecret {
			secrets = append(secrets, value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}
