package proxy

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/http"
	"sync"

	"outrigger/policy"
	"outrigger/proxy/carrier"
	"outrigger/proxy/idempotency/claims"
)

// maxKey bounds an Idempotency-Key in bytes. The draft sets no bound and lets a
// server publish its own; 255 is Stripe's (docs.stripe.com, "Idempotent requests").
const maxKey = 255

// identity tells whether a request is the same as one before. It is made only for
// requests of which somebody may ask that.
type identity struct {
	key    string    // the caller's own Idempotency-Key, "" when it does not count
	rejoin bool      // a retry of it may join it
	hasty  bool      // the client waits for its retry within the time of the try before
	body   hash.Hash // what the body says so far; nil when nobody will ask
}

// bodyHashes lends SHA-256 states for request bodies.
var bodyHashes = sync.Pool{New: func() any { return sha256.New() }}

// recognize decides whether r enters the idempotency step or may be rejoined, and
// then has its body's bytes hashed as they pass.
//
// A key counts on POST and PATCH alone: all other methods are safe or idempotent by
// themselves (RFC 9110, section 9.2.2), and the draft is about those two. A tunnel
// has no answer that could be given again.
func (x *exchange) recognize(r *http.Request) error {
	if isWebSocket(r.Header) {
		return nil
	}
	switch values, given := r.Header["Idempotency-Key"]; {
	case given && (r.Method == http.MethodPost || r.Method == http.MethodPatch):
		if len(values) != 1 || values[0] == "" || len(values[0]) > maxKey {
			x.recorder.Span(x.id, Moment(SpanIdempotency, "", resultInvalid))
			return fail("bad_request", "The Idempotency-Key is not usable: send one, of 1 to %d characters.", maxKey)
		}
		x.identity.key = values[0]
	case x.config.Rejoin > 0 && !given && changes(r.Method):
		x.identity.rejoin = true
	default:
		return nil
	}
	x.identity.hasty = r.Header.Get("X-Stainless-Lang") == "go"
	x.identity.body = bodyHashes.Get().(hash.Hash)
	x.identity.body.Reset()
	return nil
}

// changes reports whether a method is more than a reading one.
func changes(method string) bool {
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
func (x *Caller) name(names *namer, r *http.Request) name {
	var text credentialHash
	text.buf = names.caller(append(text.buf, "key"...), r)
	text.add([]string{x.identity.key})
	create := x.isCreate()
	if !create {
		text.buf = names.headers(text.buf, r, carrier.Doubtful)
	}
	n := name{owner: names.owner(r), key: text.buf, create: x.create}

	text.buf = names.headers([]byte("call"), r, carrier.Shape)
	if create {
		text.buf = names.headers(text.buf, r, carrier.Doubtful)
	}
	// As the caller wrote it, with the upstream that it asked for.
	text.add([]string{r.Method, x.target, r.RequestURI})
	if !x.facts.Valid {
		text.buf = binary.BigEndian.AppendUint64(text.buf, uint64(x.size)) // see pick.Picker.Copy
	}
	n.call = x.identity.body.Sum(text.buf)
	bodyHashes.Put(x.identity.body)
	x.identity.body = nil
	return n
}

// under is the name of the request under a secret. Only hashes are kept of it.
func (n name) under(secret [32]byte) claims.Call {
	owner := keyed(secret, n.owner)
	return claims.Call{Key: keyed(secret, n.key), Print: keyed(secret, n.call), Owner: claims.Owner(owner[:]), Create: n.create}
}

// unrepeatable reports whether doing the call twice could create twice. An upstream that
// recognises repeats is of no help where a later call may go to another one.
func (x *exchange) unrepeatable() bool {
	elsewhere := len(x.candidates) > 1 && len(x.config.Failover) > 0
	return x.isCreate() && (elsewhere || x.config.Retry.Creates != policy.CreatesAlways)
}
