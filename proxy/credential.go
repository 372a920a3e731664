package proxy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
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
// (Azure), X-Api-Key (Anthropic), X-Goog-Api-Key (Gemini). accountHeaders choose among
// the accounts of one key (OpenAI); Sec-WebSocket-Protocol can do either (see withoutSecrets).
var (
	keyHeaders     = [...]string{"Authorization", "Api-Key", "X-Api-Key", "X-Goog-Api-Key"}
	accountHeaders = [...]string{"Openai-Organization", "Openai-Project", "Sec-Websocket-Protocol"}
)

// credentials makes them. Its key lives as long as the process. Safe for
// concurrent use.
type credentials struct{ pool sync.Pool }

// credentialHash is what one computation needs, kept for the next.
type credentialHash struct {
	mac    hash.Hash
	buf    []byte
	digest [sha256.Size]byte
}

func newCredentials() *credentials {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return &credentials{pool: sync.Pool{New: func() any {
		return &credentialHash{mac: hmac.New(sha256.New, key)}
	}}}
}

// of returns the credential of a request with headers h to an upstream that is
// told the key in the header auth.
func (cs *credentials) of(h http.Header, auth string) credential {
	c := cs.pool.Get().(*credentialHash)
	defer cs.pool.Put(c)
	c.buf = c.buf[:0]
	for _, name := range keyHeaders {
		c.add(h[name])
	}
	c.add(h[auth])
	for _, name := range accountHeaders {
		c.add(h[name])
	}
	c.mac.Reset()
	_, _ = c.mac.Write(c.buf)
	c.mac.Sum(c.digest[:0])
	clear(c.buf)
	return credential(c.digest[:len(credential{})])
}

// add appends values with their number and lengths, so that no two lists collide.
func (c *credentialHash) add(values []string) {
	c.buf = append(c.buf, byte(len(values)), byte(len(values)>>8))
	for _, v := range values {
		c.buf = append(c.buf, byte(len(v)), byte(len(v)>>8), byte(len(v)>>16), byte(len(v)>>24))
		c.buf = append(c.buf, v...)
	}
}
