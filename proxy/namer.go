package proxy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"

	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
)

// namer says who makes a request and what of it tells it from others, as it came: the text
// is hashed before anything is kept of it.
type namer struct {
	secret    [32]byte    // under which names that never leave the process are hashed
	own       []string    // see keyHeaders
	hasTokens func() bool // whether callers present a client token
}

func newNamer(own []string, hasTokens func() bool) *namer {
	n := &namer{own: own, hasTokens: hasTokens}
	_, _ = rand.Read(n.secret[:]) // never fails: crypto/rand
	return n
}

// caller is what tells the caller of a request apart: its credentials and accounts, and the
// token that it may call with.
func (n *namer) caller(buf []byte, r *http.Request) []byte {
	buf = carrier.Identity(buf, r.Header, r.URL.RawQuery, carrier.Payer, n.own...)
	return carrier.Append(buf, intercept.Token(r.Context()))
}

// headers is what the headers say of those kinds.
func (n *namer) headers(buf []byte, r *http.Request, kinds carrier.Kinds) []byte {
	return carrier.Identity(buf, r.Header, "", kinds, n.own...)
}

// owner is who asks, however many keys or, where callers have a client token, made-up
// credentials it has.
func (n *namer) owner(r *http.Request) []byte {
	if !n.hasTokens() {
		return n.caller([]byte("owner"), r)
	}
	return carrier.Append([]byte("owner"), append(r.Header[headerToken], intercept.Token(r.Context()))...)
}

// keyed is the name that text has under a secret.
func keyed(secret [32]byte, text []byte) [32]byte {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write(text)
	return [32]byte(mac.Sum(nil))
}
