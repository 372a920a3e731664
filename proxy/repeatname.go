package proxy

import (
	"encoding/binary"
	"hash"
	"io"

	"outrigger/proxy/carrier"
)

// nameCall hashes all of the call but its body: who makes it and what it asks for, as
// the caller wrote it.
func (x *Run) nameCall() {
	if x.repeat.named {
		return
	}
	r, secret := x.repeat.caller, x.names.secret
	var text credentialHash
	text.buf = x.names.caller(append(text.buf, "owner"...), r)
	x.repeat.owner = keyed(secret, text.buf)

	text.buf = append(append(text.buf[:0], "repeat"...), x.repeat.owner[:]...)
	text.buf = x.names.headers(text.buf, r, carrier.Shape|carrier.Doubtful)
	text.add([]string{r.Method, x.target, r.RequestURI, x.identity.key})
	text.buf = binary.BigEndian.AppendUint64(text.buf, uint64(x.size))
	x.repeat.call, x.repeat.named = keyed(secret, text.buf), true
}

// nameBody hashes the body, and reports whether it is still there to be hashed.
func (x *Run) nameBody() bool {
	if x.size == 0 || x.repeat.body != ([32]byte{}) {
		return true
	}
	if x.body == nil {
		return false
	}
	h := bodyHashes.Get().(hash.Hash)
	defer bodyHashes.Put(h)
	h.Reset()
	reader := x.body.Reader()
	defer func() { _ = reader.Close() }()
	if n, err := io.Copy(h, reader); err != nil || n != x.size {
		return false
	}
	h.Sum(x.repeat.body[:0])
	return true
}
