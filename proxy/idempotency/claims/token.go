package claims

import "crypto/rand"

// token tells the holder of a claim from all others, also from itself after its
// claim was lost.
type Token [16]byte

func NewToken() Token {
	var t Token
	_, _ = rand.Read(t[:]) // never fails: see its doc
	return t
}
