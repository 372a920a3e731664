package proxy

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"outrigger/internal/clip"
)

// keyPattern finds what looks like a credential in an upstream's message: OpenAI
// quotes part of the key in its 401 ("Incorrect API key provided: sk-4jwn***").
var keyPattern = regexp.MustCompile(`(?i)\b(?:sk|pk|gsk|xai|key|sess|r8|or)-[A-Za-z0-9_*.\-]{4,}|\bAIza[A-Za-z0-9_\-]{10,}|\bBearer\s+\S+|[A-Za-z0-9]*\*{3,}[A-Za-z0-9]*`)

// maskKeys hides credentials in a message that goes to the log. They are hidden
// before it is cut: half a key is no match.
func maskKeys(message string) string {
	return clip.Text(keyPattern.ReplaceAllString(message, "[key]"), maxMessage)
}

// minSecret is the shortest value that is taken for a secret: a shorter one would
// be found, and hidden, everywhere.
const minSecret = 6

// conceal hides in what an upstream's error says all that the request was sent
// with to prove itself: no pattern knows every kind of key.
func (x *exchange) conceal(a *attempt) {
	e := &a.verdict.Error
	for _, field := range [...]*string{&e.Type, &e.Code, &e.Param, &e.Message} {
		for _, secret := range secretsOf(a.resp.Request.Header, x.up) {
			*field = strings.ReplaceAll(*field, secret, "[key]")
		}
		*field = maskKeys(*field)
	}
}

// secretsOf returns the credentials in the headers h of a request to u, and u's own.
func secretsOf(h http.Header, u *upstream) []string {
	present := u.secrets.Load()
	values := slices.Concat(present.values, present.before)
	for _, name := range append(keyHeaders[:], "Cookie", u.auth) {
		values = append(values, h[name]...)
	}
	var secrets []string
	for _, v := range values {
		_, token, _ := strings.Cut(v, " ") // "Bearer ..."
		for _, s := range [...]string{v, token} {
			if len(s) >= minSecret {
				secrets = append(secrets, s)
			}
		}
	}
	return secrets
}
