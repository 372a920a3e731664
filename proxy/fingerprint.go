package proxy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"

	"outrigger/policy"
	"outrigger/proxy/intercept"
	"outrigger/proxy/store"
)

// maxKey bounds an Idempotency-Key in bytes. The draft sets no bound and lets a
// server publish its own; 255 is Stripe's (docs.stripe.com, "Idempotent requests").
const maxKey = 255

// identity tells whether a request is the same as one before. It is made only for
// requests of which somebody may ask that.
type identity struct {
	key    string    // the caller's own Idempotency-Key, "" when it does not count
	owner  uint64    // stands for the caller's credential, in this process
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
			x.p.idempotency.count(resultInvalid)
			return fail("bad_request", "The Idempotency-Key is not usable: send one, of 1 to %d characters.", maxKey)
		}
		x.identity.key = values[0]
	case x.p.config.Rejoin > 0 && !given && changes(r.Method):
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

// scopeHeaders are the headers, of those that callers prove themselves with, that
// make one caller's keys its own.
func scopeHeaders(upstreams []Upstream) []string {
	names := slices.Concat(keyHeaders[:], accountHeaders[:], []string{headerToken, "Proxy-Authorization"})
	for i := range upstreams {
		names = append(names, http.CanonicalHeaderKey(upstreams[i].AuthHeader))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// call names the request under secret: who asks with which key, and for what. Only
// hashes are kept of either. It ends the hashing of the body.
func (x *exchange) call(r *http.Request, secret [32]byte) store.Call {
	var text credentialHash
	text.buf = append(text.buf, "key"...)
	for _, name := range x.p.idempotency.scope {
		text.add(r.Header[name])
	}
	text.add([]string{intercept.Token(r.Context())})
	x.identity.owner = maphash.Bytes(x.p.idempotency.owners, text.buf)
	text.add([]string{x.identity.key})
	key := keyed(secret, text.buf)

	text.buf = append(text.buf[:0], "call"...)
	// As the caller wrote it, with the upstream that it asked for.
	text.add([]string{r.Method, x.target, r.RequestURI})
	if !x.facts.Valid {
		text.buf = binary.BigEndian.AppendUint64(text.buf, uint64(x.size)) // see pick.Picker.Copy
	}
	text.buf = x.identity.body.Sum(text.buf)
	bodyHashes.Put(x.identity.body)
	x.identity.body = nil
	return store.Call{Key: key, Print: keyed(secret, text.buf), Create: x.unrepeatable()}
}

// unrepeatable reports whether doing the call twice could create twice. An upstream that
// recognises repeats is of no help where a later call may go to another one.
func (x *exchange) unrepeatable() bool {
	elsewhere := len(x.candidates) > 1 && len(x.p.config.Failover) > 0
	return x.isCreate() && (elsewhere || x.p.config.Retry.Creates != policy.CreatesAlways)
}

func keyed(secret [32]byte, text []byte) [32]byte {
	mac := hmac.New(sha256.New, secret[:])
	_, _ = mac.Write(text)
	return [32]byte(mac.Sum(nil))
}

// hashKey returns the secret under which the store's keys are made, or this
// process's own and an error while the store cannot tell.
func (s *idempotency) hashKey(ctx context.Context) ([32]byte, error) {
	secret, err := s.store.HashKey(ctx)
	if err != nil {
		return s.secret, err
	}
	return secret, nil
}
