package body

import "io"

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
		body, size = &Inflating{Codings: x.Encoded.Codings, Raw: body, Size: size}, x.Encoded.Size
	}
	if size >= 0 {
		size += int64(len(model)) - old
	}
	return &Spliced{Src: body, Before: x.Facts.ModelStart, Text: model, Skip: old}, size
}
