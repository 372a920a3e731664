package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrTooLong is returned for a body that decodes to more than its bound.
var ErrTooLong = errors.New("decodes to too much")

// magics are how encoded data begins: RFC 1952, section 2.3.1 (method 8 is the only one);
// RFC 8878, section 3.1.1; for zlib see isZlib. Brotli and raw deflate data have none.
var magics = [...]struct{ coding, head string }{{"gzip", "\x1f\x8b\x08"}, {"zstd", "\x28\xb5\x2f\xfd"}}

// Magic returns the coding that data which begins with head is in by its magic number, or
// "". Four bytes are enough. JSON begins with none of them.
func Magic(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.head)) {
			return m.coding
		}
	}
	if len(head) >= 2 && head[0] == 'x' && isZlib(head) { // a window of 32 KiB, as all encoders choose
		return "deflate"
	}
	return ""
}

// Open returns a reader of what r holds, decoded, and the codings it was in, as they were
// applied; without any the reader yields what r does. The magic number goes before the
// Content-Encoding that was said, layer by layer: a label that the bytes do not bear out is
// passed over. Close it.
//
// More than limit bytes, in any layer, are ErrTooLong. Data that is broken, or cut short,
// fails with the decoder's error.
func Open(encoding string, r io.Reader, limit int64) (io.ReadCloser, []string, error) {
	said, unknown := parse(encoding)
	o := &opening{Reader: r, limit: limit}
	for {
		b := bufio.NewReaderSize(o.Reader, 512)
		head, err := b.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			_ = o.Close()
			return nil, nil, fmt.Errorf("decoding: %w", err)
		}
		o.Reader = b
		coding := Magic(head)
		if unknown != nil && coding == "" {
			_ = o.Close()
			return nil, nil, unknown
		}
		unknown = nil // the bytes know better
		if n := len(said); n > 0 {
			if coding == "" || coding == "deflate" && said[n-1] == "br" { // whose data may begin so
				coding = unmarked(said[n-1])
			}
			said = said[:n-1]
		} else if coding == "" {
			return o, o.codings, nil
		}
		if coding == "" {
			continue // the label is wrong
		}
		if len(o.codings) == layersMax {
			_ = o.Close()
			return nil, nil, fmt.Errorf("%d codings at once: %w", layersMax+1, ErrCoding)
		}
		o.add(coding)
	}
}

// unmarked returns the coding that was said of data without a magic number, if it is
// one that has none.
func unmarked(said string) string {
	if said == "br" || said == "deflate" {
		return said
	}
	return ""
}

// opening is a stack of decoders. One goroutine reads it.
type opening struct {
	io.Reader // the last layer
	limit     int64
	layers    []io.Closer
	codings   []string // from the first that was applied
}

func (o *opening) add(coding string) {
	d := newReader(coding, o.Reader)
	o.layers = append(o.layers, d)
	o.codings = append([]string{coding}, o.codings...)
	o.Reader = &limited{src: d, left: o.limit}
}

// Close gives the decoders back.
func (o *opening) Close() error {
	for _, layer := range o.layers {
		_ = layer.Close()
	}
	o.Reader, o.layers = failing{io.ErrClosedPipe}, nil
	return nil
}

// limited fails where src goes on after left bytes.
type limited struct {
	src  io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, ErrTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.src.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, ErrTooLong
	}
	return n, err
}
