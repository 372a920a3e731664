package call

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync/atomic"

	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
	"outrigger/proxy/wire"
)

// Namer says who makes a request and what of it tells it from others, as it came: the text
// is hashed before anything is kept of it.
type Namer struct {
	Secret    [32]byte // under which names that never leave the process are hashed
	own       atomic.Pointer[[]string]
	hasTokens func() bool // whether callers present a client token
}

// NewNamer returns a Namer with a secret of its own. Own are the headers that carry a key
// because the configuration says so; hasTokens reports whether callers present a client token.
func NewNamer(own []string, hasTokens func() bool) *Namer {
	n := &Namer{hasTokens: hasTokens}
	n.SetOwn(own)
	_, _ = rand.Read(n.Secret[:]) // never fails: crypto/rand
	return n
}

// SetOwn puts another list of such headers into force; see settings.KeyHeaders.
func (n *Namer) SetOwn(own []string) { n.own.Store(&own) }

// Caller is what tells the caller of a request apart: its credentials and accounts, and the
// token that it may call with.
func (n *Namer) Caller(buf []byte, r *http.Request) []byte {
	buf = carrier.Identity(buf, r.Header, r.URL.RawQuery, carrier.Payer, *n.own.Load()...)
	return carrier.Append(buf, intercept.Token(r.Context()))
}

// Headers is what the headers say of those kinds.
func (n *Namer) Headers(buf []byte, r *http.Request, kinds carrier.Kinds) []byte {
	return carrier.Identity(buf, r.Header, "", kinds, *n.own.Load()...)
}

// Owner is who asks, however many keys or, where callers have a client token, made-up
// credentials it has.
func (n *Namer) Owner(r *http.Request) []byte {
	if !n.hasTokens() {
		return n.Caller([]byte("owner"), r)
	}
	return carrier.Append([]byte("owner"), append(r.Header[wire.HeaderToken], intercept.Token(r.Context()))...)
}

// Keyed is the name that text has under a secret.
func Keyed(secret [32]byte, text []byte) [32]byte {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write(text)
	return [32]byte(mac.Sum(nil))
}
