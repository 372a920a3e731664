package proxy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"sync"
)

// credential names who pays for a request without saying how they prove it: an
// HMAC, under a key made at start, of the headers by which OpenAI-compatible
// servers tell accounts apart. The zero value stands for no credential.
type credential [16]byte

// label is the form for logs, metrics and the status: 8 hex digits.
func (c credential) label() string { return hex.EncodeToString(c[:4]) }

// keyHeaders carry the key: Authorization (OpenAI and most others), Api-Key
// (Azure), X-Api-Key (Anthropic). accountHeaders choose among the accounts of
// one key (OpenAI).
var (
	keyHeaders     = [...]string{"Authorization", "Api-Key", "X-Api-Key"}
	accountHeaders = [...]string{"Openai-Organization", "Openai-Project"}
)

// credentials makes them. Its key lives as long as the process.
type credentials struct{ pool sync.Pool }

func newCredentials() *credentials {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return &credentials{pool: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// of returns the credential that a request with headers h will have at u.
func (cs *credentials) of(h http.Header, u *Upstream) credential {
	mac := cs.pool.Get().(hash.Hash)
	mac.Reset()
	if u.APIKey.IsZero() {
		for _, name := range keyHeaders {
			sum(mac, h[name])
		}
		sum(mac, h[http.CanonicalHeaderKey(u.AuthHeader)])
	} else {
		_, _ = io.WriteString(mac, u.APIKey.Reveal())
	}
	for _, name := range accountHeaders {
		sum(mac, h[name])
	}
	var digest [sha256.Size]byte
	mac.Sum(digest[:0])
	cs.pool.Put(mac)
	return credential(digest[:len(credential{})])
}

// sum adds values with their number and lengths, so that no two lists collide.
func sum(mac hash.Hash, values []string) {
	var buf [128]byte
	b := append(buf[:0], byte(len(values)), byte(len(values)>>8))
	for _, v := range values {
		b = append(b, byte(len(v)), byte(len(v)>>8), byte(len(v)>>16), byte(len(v)>>24))
		b = append(b, v...)
	}
	_, _ = mac.Write(b)
}
