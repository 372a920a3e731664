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
	case x.Kept == nil || x.Size == 0:
		return nil
	case x.Size > OneWrite || !x.Kept.InMemory():
		return x.Kept.Reader()
	}
	if content := x.Kept.Bytes(); content != nil {
		return io.NopCloser(bytes.NewReader(content))
	}
	content := make([]byte, x.Size)
	if _, err := io.ReadFull(x.Kept.Reader(), content); err != nil {
		return x.Kept.Reader() // which tells why
	}
	return io.NopCloser(bytes.NewReader(content))
}

// Outgoing returns the body for one attempt, from its start, and its length, -1
// when that is not known. model is the text that stands for the model's name; "" leaves it.
func (x *Body) Outgoing(model string) (io.ReadCloser, int64) {
	body := x.requestBody()
	if body == nil || model == "" {
		return body, x.Size
	}
	old := x.Facts.ModelEnd - x.Facts.ModelStart
	size := x.Size
	if x.Encoded.Codings != nil {
		body, size = &inflating{codings: x.Encoded.Codings, raw: body, size: size}, x.Encoded.Size
	}
	if size >= 0 {
		size += int64(len(model)) - old
	}
	return &spliced{src: body, before: x.Facts.ModelStart, text: model, skip: old}, size
}
