package carrier

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/http"
	"sync"
)

// Credential names who pays for a request without saying how they prove it: an HMAC, under
// a key made at start, of all that package carrier finds. The zero value stands for no
// credential.
type Credential [16]byte

// Key is a number that tells credentials apart.
func (c Credential) Key() uint64 { return binary.LittleEndian.Uint64(c[:]) }

// Label is the form for logs, metrics and the status: 8 hex digits.
func (c Credential) Label() string { return hex.EncodeToString(c[:4]) }

// Credentials makes them. Its key lives as long as the process. Safe for
// concurrent use.
type Credentials struct {
	pool *sync.Pool
	Own  []string // see settings.KeyHeaders
}

// CredentialHash is what one computation needs, kept for the next.
type CredentialHash struct {
	mac    hash.Hash
	Buf    []byte
	digest [sha256.Size]byte
}

// Add appends values with their number and lengths, so that no two lists collide.
func (c *CredentialHash) Add(values []string) { c.Buf = Append(c.Buf, values...) }

// NewCredentials returns one with a key of its own. Own are the headers that carry a key
// because the configuration says so.
func NewCredentials(own []string) *Credentials {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return &Credentials{Own: own, pool: &sync.Pool{New: func() any {
		return &CredentialHash{mac: hmac.New(sha256.New, key)}
	}}}
}

// With returns one with the same key and another list of headers.
func (cs *Credentials) With(own []string) *Credentials {
	return &Credentials{Own: own, pool: cs.pool}
}

// Payer returns who pays for a request as an upstream gets it.
func (cs *Credentials) Payer(out *http.Request) Credential { return cs.of(out, Payer) }

// Caller returns more: two requests with the same one differ in nothing that may tell
// their callers apart.
func (cs *Credentials) Caller(out *http.Request) Credential { return cs.of(out, Caller) }

// PayerEverywhere returns who pays for a request at a place, and CallerEverywhere who calls, as
// hashes that are the same in every process. They must not be shown: a key that can be guessed
// could be checked against them.
func (cs *Credentials) PayerEverywhere(out *http.Request, place string) [sha256.Size]byte {
	return cs.everywhere(out, place, Payer)
}

// CallerEverywhere is described at PayerEverywhere.
func (cs *Credentials) CallerEverywhere(out *http.Request, place string) [sha256.Size]byte {
	return cs.everywhere(out, place, Caller)
}

func (cs *Credentials) everywhere(out *http.Request, place string, kinds Kinds) [sha256.Size]byte {
	buf := Append(Identity(nil, out.Header, out.URL.RawQuery, kinds, cs.Own...), place)
	defer clear(buf)
	return sha256.Sum256(buf)
}

func (cs *Credentials) of(r *http.Request, kinds Kinds) Credential {
	c := cs.pool.Get().(*CredentialHash)
	defer cs.pool.Put(c)
	c.Buf = Identity(c.Buf[:0], r.Header, r.URL.RawQuery, kinds, cs.Own...)
	c.mac.Reset()
	_, _ = c.mac.Write(c.Buf)
	c.mac.Sum(c.digest[:0])
	clear(c.Buf)
	return Credential(c.digest[:len(Credential{})])
}
