package proxy

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"

	"outrigger/internal/values"
)

// secrets are what an upstream is called with. They may change while the process runs; an
// attempt has those of the moment at which it was made ready.
type secrets struct {
	key        values.Secret
	headers    []Pair
	parameters []Pair
	query      string   // the parameters, encoded
	values     []string // all of them as they are written
	before     []string // those of the secrets before: an answer may be late
}

// newSecrets returns those of u. before are those in force, or nil.
func newSecrets(u *Upstream, before *secrets) *secrets {
	s := &secrets{key: u.APIKey, headers: slices.Clone(u.Headers), parameters: slices.Clone(u.Query), values: []string{u.APIKey.Reveal()}}
	parameters := make([]string, 0, len(u.Query))
	for _, p := range u.Query {
		parameters = append(parameters, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	s.query = strings.Join(parameters, "&")
	for _, pairs := range [...][]Pair{u.Headers, u.Query} {
		for _, p := range pairs {
			s.values = append(s.values, p.Value)
		}
	}
	if before != nil {
		s.before = before.values
	}
	return s
}

// SetSecrets puts the client tokens, and the keys, headers and parameters of the upstreams, of
// c into force. c has the same upstreams as the Config that New was given. Requests that
// were admitted go on; waiting ones may still be sent with what was in force before.
func (p *Proxy) SetSecrets(c Config) {
	for i, up := range p.upstreams {
		if up.config.Name == c.Upstreams[i].Name {
			up.secrets.Store(newSecrets(&c.Upstreams[i], up.secrets.Load()))
		}
	}
	p.callers.setTokens(c.Callers.Tokens)
}

// setTokens has callers present one of tokens from now on.
func (cs *callers) setTokens(tokens []values.Secret) {
	sums := make([][sha256.Size]byte, len(tokens))
	for i, t := range tokens {
		sums[i] = sha256.Sum256([]byte(t.Reveal()))
	}
	cs.tokens.Store(&sums)
}
