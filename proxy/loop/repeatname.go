package loop

import (
	"encoding/binary"
	"hash"
	"io"

	"outrigger/proxy/body"
	"outrigger/proxy/call"
	"outrigger/proxy/carrier"
)

// NameCall hashes all of the call but its body: who makes it and what it asks for, as
// the caller wrote it.
func (x *Run) NameCall() {
	if x.Repeat.named {
		return
	}
	r, secret := x.Repeat.Caller, x.Names.Secret
	var text carrier.CredentialHash
	text.Buf = x.Names.Caller(append(text.Buf, "owner"...), r)
	x.Repeat.owner = call.Keyed(secret, text.Buf)

	text.Buf = append(append(text.Buf[:0], "repeat"...), x.Repeat.owner[:]...)
	text.Buf = x.Names.Headers(text.Buf, r, carrier.Shape|carrier.Doubtful)
	text.Add([]string{r.Method, x.Target, r.RequestURI, x.Identity.Key})
	text.Buf = binary.BigEndian.AppendUint64(text.Buf, uint64(x.Size))
	x.Repeat.Call, x.Repeat.named = call.Keyed(secret, text.Buf), true
}

// NameBody hashes the body, and reports whether it is still there to be hashed.
func (x *Run) NameBody() bool {
	if x.Size == 0 || x.Repeat.Body != ([32]byte{}) {
		return true
	}
	if x.Body1 == nil {
		return false
	}
	h := body.BodyHashes.Get().(hash.Hash)
	defer body.BodyHashes.Put(h)
	h.Reset()
	reader := x.Body1.Reader()
	defer func() { _ = reader.Close() }()
	if n, err := io.Copy(h, reader); err != nil || n != x.Size {
		return false
	}
	h.Sum(x.Repeat.Body[:0])
	return true
}
