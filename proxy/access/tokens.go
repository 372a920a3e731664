package access

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/http"

	"outrigger/internal/values"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
	"outrigger/proxy/wire"
)

// clientToken is a token that callers may present, as hashes.
type clientToken struct {
	name  string            // "" if it has none
	sum   [sha256.Size]byte // of the token
	whole [sha256.Size]byte // of the whole entry, which was the token before entries had names
	key   uint64            // tells callers apart: tokens of one name are one caller's
}

// SetTokens has callers present one of tokens from now on.
func (cs *Callers) SetTokens(tokens []values.Secret) {
	all := make([]clientToken, len(tokens))
	for i, entry := range tokens {
		name, token := settings.SplitToken(entry)
		all[i] = clientToken{name: name, sum: sha256.Sum256([]byte(token.Reveal())), whole: sha256.Sum256([]byte(entry.Reveal()))}
		caller := all[i].sum
		if name != "" {
			caller = sha256.Sum256([]byte("name " + name))
		}
		all[i].key = binary.LittleEndian.Uint64(caller[:])
	}
	cs.tokens.Store(&all)
}

// find returns the token that a caller presented, nil if it is none of them. It compares in
// constant time.
func (cs *Callers) find(token string) *clientToken {
	tokens, at := *cs.tokens.Load(), -1
	sum := sha256.Sum256([]byte(token))
	for i := range tokens {
		t := &tokens[i]
		found := subtle.ConstantTimeCompare(sum[:], t.sum[:]) | subtle.ConstantTimeCompare(sum[:], t.whole[:])
		at = subtle.ConstantTimeSelect(found, i, at)
	}
	if at < 0 {
		return nil
	}
	return &tokens[at]
}

// Known reports whether a caller with that token may call: any may where none are
// configured. It compares in constant time.
func (cs *Callers) Known(token string) bool { return !cs.HaveTokens() || cs.find(token) != nil }

// HaveTokens reports whether callers have to present one.
func (cs *Callers) HaveTokens() bool { return len(*cs.tokens.Load()) > 0 }

// tokenOf returns the token that the caller of r presented, wherever it did, nil if it presented
// none that counts.
func (cs *Callers) tokenOf(r *http.Request) *clientToken {
	if !cs.HaveTokens() {
		return nil
	}
	if t := cs.find(r.Header.Get(wire.HeaderToken)); t != nil {
		return t
	}
	return cs.find(cmp.Or(intercept.Token(r.Context()), intercept.TokenOf(r)))
}
