package fleet

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"outrigger/proxy/admission"
	"outrigger/proxy/fleet/server"
)

// layout is the version of what keys hold: sidecars of different layouts share nothing.
const layout = "1:"

// hashBytes is how many bytes of a hash a name has.
const hashBytes = 12

// names are the keys of an account, as the script has them.
func (f *Fleet) names(of admission.Account) []string {
	of.Model = "=" + of.Model
	tag := f.tag(of.Payer)
	base := tag + f.hash(of.Payer[:], of.Model)
	return []string{base, base + ":high", base + ":normal", base + ":low", base + ":members", base + ":flying", tag + "refusals"}
}

// tag begins the keys of all that one payer has: what is in braces decides on the node.
func (f *Fleet) tag(payer [32]byte) string {
	return server.Prefix + layout + "{" + f.hash(payer[:], "") + "}:"
}

func (f *Fleet) hash(payer []byte, model string) string {
	secret := f.beats.key()
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write(payer)
	_, _ = mac.Write([]byte(model))
	return hex.EncodeToString(mac.Sum(nil)[:hashBytes])
}

// nonce returns a text that no other has.
func nonce() string {
	var n [8]byte
	_, _ = rand.Read(n[:]) // never fails: see its doc
	return hex.EncodeToString(n[:])
}
