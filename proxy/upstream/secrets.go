package upstream

import (
	"net/url"
	"slices"
	"strings"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// secrets are what an upstream is called with. They may change while the process runs; an
// attempt has those of the moment at which it was made ready.
type secrets struct {
	key        values.Secret
	headers    []settings.Pair
	Parameters []settings.Pair
	query      string   // the parameters, encoded
	Values     []string // all of them as they are written
	Before     []string // those of the secrets before: an answer may be late
}

// NewSecrets returns those of u. before are those in force, or nil.
func NewSecrets(u *settings.Upstream, before *secrets) *secrets {
	s := &secrets{key: u.APIKey, headers: slices.Clone(u.Headers), Parameters: slices.Clone(u.Query), Values: []string{u.APIKey.Reveal()}}
	parameters := make([]string, 0, len(u.Query))
	for _, p := range u.Query {
		parameters = append(parameters, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	s.query = strings.Join(parameters, "&")
	for _, pairs := range [...][]settings.Pair{u.Headers, u.Query} {
		for _, p := range pairs {
			s.Values = append(s.Values, p.Value)
		}
	}
	if before != nil {
		s.Before = before.Values
	}
	return s
}
