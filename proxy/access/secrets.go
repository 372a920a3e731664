package access

import (
	"crypto/sha256"

	"outrigger/internal/values"
)

// SetTokens has callers present one of tokens from now on.
func (cs *Callers) SetTokens(tokens []values.Secret) {
	sums := make([][sha256.Size]byte, len(tokens))
	for i, t := range tokens {
		sums[i] = sha256.Sum256([]byte(t.Reveal()))
	}
	cs.tokens.Store(&sums)
}
