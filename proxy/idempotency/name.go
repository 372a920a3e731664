package idempotency

import (
	"encoding/binary"
	"net/http"

	"outrigger/proxy/body"
	"outrigger/proxy/call"
	"outrigger/proxy/carrier"
	"outrigger/proxy/idempotency/claims"
)

// MaxKey bounds an Idempotency-Key in bytes. The draft sets no bound and lets a
// server publish its own; 255 is Stripe's (docs.stripe.com, "Idempotent requests").
const MaxKey = 255

// Changes reports whether a method is more than a reading one.
func Changes(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// name is what tells a request from others, before it is hashed: who asks with which
// key, and for what. It has secrets in it, and lives no longer than its request.
type name struct {
	owner, key, call []byte
	create           bool
}

// name names the request. It ends the hashing of the body.
//
// What differs in a header that is not harmless is never the same call. One in which only
// headers differ that nobody knows may be another caller's, and is a call of its own, but for
// creates: the header may be new in the second try of one, which must not create twice.
func (x *Caller) name(names *call.Namer, r *http.Request) name {
	var text carrier.CredentialHash
	text.Buf = names.Caller(append(text.Buf, "key"...), r)
	text.Add([]string{x.Identity.Key})
	create := x.IsCreate()
	if !create {
		text.Buf = names.Headers(text.Buf, r, carrier.Doubtful)
	}
	n := name{owner: names.Owner(r), key: text.Buf, create: x.Create}

	text.Buf = names.Headers([]byte("call"), r, carrier.Shape)
	if create {
		text.Buf = names.Headers(text.Buf, r, carrier.Doubtful)
	}
	// As the caller wrote it, with the upstream that it asked for.
	text.Add([]string{r.Method, x.Target, r.RequestURI})
	if !x.Facts.Valid {
		text.Buf = binary.BigEndian.AppendUint64(text.Buf, uint64(x.Size)) // see pick.Picker.Copy
	}
	n.call = x.Identity.Body.Sum(text.Buf)
	body.BodyHashes.Put(x.Identity.Body)
	x.Identity.Body = nil
	return n
}

// under is the name of the request under a secret. Only hashes are kept of it.
func (n name) under(secret [32]byte) claims.Call {
	owner := call.Keyed(secret, n.owner)
	return claims.Call{Key: call.Keyed(secret, n.key), Print: call.Keyed(secret, n.call), Owner: claims.Owner(owner[:]), Create: n.create}
}
