package decode

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
)

// codings are those that Body decodes, in the order that Accepts names them when a
// caller takes any.
var codings = []string{"gzip", "deflate", "br", "zstd"}

func supported(coding string) bool {
	switch coding {
	case "gzip", "x-gzip", "deflate", "br", "zstd", "identity":
		return true
	default:
		return false
	}
}

// newReader returns a reader of what r holds in a supported coding. Close it. An
// error in the coding's header comes with the first Read.
func newReader(coding string, r io.Reader) io.ReadCloser {
	switch coding {
	case "br":
		return brotlis.open(r)
	case "zstd":
		return newZstd(r)
	case "deflate":
		return opened(deflateReader(r))
	default:
		return gzips.open(r)
	}
}

// deflateReader decodes zlib data, which is what deflate means, or raw deflate data,
// which some servers send instead (RFC 9110, section 8.4.1.2, note).
func deflateReader(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	if err == nil && !isZlib(head) {
		return flate.NewReader(b), nil
	}
	return zlib.NewReader(b)
}

// isZlib tells whether head is a zlib header: method 8, a window of at most 32 KiB, no
// preset dictionary, a multiple of 31 (RFC 1950, section 2.2). Raw deflate data
// that begins so would be a stored block padded with ones, and encoders pad with zeros.
func isZlib(head []byte) bool {
	cmf, flg := head[0], head[1]
	return cmf&0x0f == 8 && cmf>>4 <= 7 && flg&0x20 == 0 && (int(cmf)<<8|int(flg))%31 == 0
}

// opened returns r, or a reader that fails with err.
func opened(r io.ReadCloser, err error) io.ReadCloser {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return io.NopCloser(failing{err})
	}
	return r
}

// failing is a reader of nothing.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
