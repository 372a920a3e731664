package proxy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"sync"

	"outrigger/proxy/carrier"
)

// credential names who pays for a request without saying how they prove it: an HMAC, under
// a key made at start, of all that package carrier finds. The zero value stands for no
// credential.
type credential [16]byte

// label is the form for logs, metrics and the status: 8 hex digits.
func (c credential) label() string { return hex.EncodeToString(c[:4]) }

// credentials makes them. Its key lives as long as the process. Safe for
// concurrent use.
type credentials struct {
	pool sync.Pool
	own  []string // see keyHeaders
}

// keyHeaders are the headers that carry a key because the configuration says so.
func keyHeaders(upstreams []Upstream) []string {
	var names []string
	for i := range upstreams {
		if name := upstreams[i].AuthHeader; name != "" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	return names
}

// credentialHash is what one computation needs, kept for the next.
type credentialHash struct {
	mac    hash.Hash
	buf    []byte
	digest [sha256.Size]byte
}

// add appends values with their number and lengths, so that no two lists collide.
func (c *credentialHash) add(values []string) { c.buf = carrier.Append(c.buf, values...) }

func newCredentials(own []string) *credentials {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return &credentials{own: own, pool: sync.Pool{New: func() any {
		return &credentialHash{mac: hmac.New(sha256.New, key)}
	}}}
}

// payer returns who pays for a request as an upstream gets it.
func (cs *credentials) payer(out *http.Request) credential { return cs.of(out, carrier.Payer) }

// caller returns more: two requests with the same one differ in nothing that may tell
// their callers apart.
func (cs *credentials) caller(out *http.Request) credential { return cs.of(out, carrier.Caller) }

func (cs *credentials) of(r *http.Request, kinds carrier.Kinds) credential {
	c := cs.pool.Get().(*credentialHash)
	defer cs.pool.Put(c)
	c.buf = carrier.Identity(c.buf[:0], r.Header, r.URL.RawQuery, kinds, cs.own...)
	c.mac.Reset()
	_, _ = c.mac.Write(c.buf)
	c.mac.Sum(c.digest[:0])
	clear(c.buf)
	return credential(c.digest[:len(credential{})])
}
