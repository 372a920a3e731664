package store

import "crypto/rand"

// token tells the holder of a claim from all others, also from itself after its
// claim was lost.
type token [16]byte

func newToken() token {
	var t token
	_, _ = rand.Read(t[:]) // never fails: see its doc
	return t
}
