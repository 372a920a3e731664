package body

import (
	"bytes"
	"io"
)

// requestBody returns the body for one attempt, from its start.
func (x *Body) requestBody() io.ReadCloser {
	switch {
	case x.Once != nil:
		return x.Once
	case x.Body1 == nil || x.Size == 0:
		return nil
	case x.Size > OneWrite || !x.Body1.InMemory():
		return x.Body1.Reader()
	}
	content := make([]byte, x.Size)
	if _, err := io.ReadFull(x.Body1.Reader(), content); err != nil {
		return x.Body1.Reader() // which tells why
	}
	return io.NopCloser(bytes.NewReader(content))
}
