package proxy

import (
	"bytes"
	"io"
)

// oneWrite is how long a body may be to be sent from a copy of its own: net/http puts a
// body that it knows to be in memory behind the headers in one write, and gives any other
// a write and a copying buffer besides (transfer.go, isKnownInMemoryReader). A copy,
// because the transport may still read it when the request is over.
const oneWrite = 16 << 10

// requestBody returns the body for one attempt, from its start.
func (x *Body) requestBody() io.ReadCloser {
	switch {
	case x.once != nil:
		return x.once
	case x.body == nil || x.size == 0:
		return nil
	case x.size > oneWrite || !x.body.InMemory():
		return x.body.Reader()
	}
	content := make([]byte, x.size)
	if _, err := io.ReadFull(x.body.Reader(), content); err != nil {
		return x.body.Reader() // which tells why
	}
	return io.NopCloser(bytes.NewReader(content))
}
