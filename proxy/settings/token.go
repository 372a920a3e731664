package settings

import (
	"errors"
	"regexp"
	"strings"

	"outrigger/internal/values"
	"outrigger/policy/priority"
)

// ErrTokenPriority is returned for a text that is not name=priority.
var ErrTokenPriority = errors.New("not name=priority")

// tokenName is how a client token's name reads.
var tokenName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// SplitToken returns the name and the token of an entry name:token, in which the name is
// [a-z][a-z0-9_-]* of at most 32 characters. Any other entry is a token without a name.
func SplitToken(entry values.Secret) (string, values.Secret) {
	name, token, found := strings.Cut(entry.Reveal(), ":")
	if !found || token == "" || !tokenName.MatchString(name) {
		return "", entry
	}
	return name, values.NewSecret(token)
}

// TokenPriority is the priority of a client token, by its name.
type TokenPriority struct {
	Name     string
	Priority priority.Priority
}

// UnmarshalText reads name=priority. Anything else is ErrTokenPriority.
func (p *TokenPriority) UnmarshalText(text []byte) error {
	name, word, _ := strings.Cut(string(text), "=")
	name = strings.TrimSpace(name)
	parsed, err := priority.Parse(strings.TrimSpace(word))
	if err != nil || !tokenName.MatchString(name) {
		return ErrTokenPriority
	}
	*p = TokenPriority{name, parsed}
	return nil
}

// String returns name=priority.
func (p TokenPriority) String() string { return p.Name + "=" + p.Priority.String() }
