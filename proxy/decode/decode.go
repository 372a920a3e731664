// Package decode reads compressed copies of answers, to inspect them: an upstream's error
// body, while the body itself is forwarded unchanged, or a stream, beside the bytes that
// pass (Copy). A body's first bytes have precedence over its label (Look).
//
// It decodes what RFC 9110 (section 8.4.1), RFC 7932 and RFC 8878 define: gzip, deflate,
// br, zstd and identity, and lists of them. Its output is bounded in every layer, not only
// at the end, so a decompression bomb costs no more than an honest body. For broken input
// it returns what could be decoded, and an error: an error message is often in the first
// bytes.
package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Max is how much of a body Body returns unless it is told otherwise, in bytes. The
// largest known error pages have some KB (Cloudflare's).
const Max = 64 << 10

// layersMax bounds how many codings one body may have: more than two is not seen.
const layersMax = 4

// ErrCoding is returned, wrapped with the coding's name, for a coding that cannot
// be decoded, and for more codings than anyone uses.
var ErrCoding = errors.New("content coding is not supported")

// Body returns the beginning of raw decoded, at most limit bytes, or Max if limit
// is not above 0. Encoding is the Content-Encoding: codings in the order they were applied.
// There is no error for a body that is longer than limit. For one that is broken or
// cut short it returns what came before, with the decoder's error; io.ErrUnexpectedEOF
// if it ends too early. It may return a part of raw itself.
func Body(encoding string, raw []byte, limit int) ([]byte, error) {
	if limit <= 0 {
		limit = Max
	}
	limit = min(limit, math.MaxInt/4) // its double is needed below
	codings, err := parse(encoding)
	if err != nil {
		return nil, err
	}
	if len(codings) == 0 {
		return raw[:min(len(raw), limit)], nil
	}
	var r io.Reader = bytes.NewReader(raw)
	for i := len(codings) - 1; i >= 0; i-- {
		decoder := newReader(codings[i], r)
		defer decoder.Close()
		// What the next layer reads is bounded too: no encoder makes data larger
		// than this, but nested bombs do.
		r = io.LimitReader(decoder, int64(limit)*2+Max)
	}
	return readAll(io.LimitReader(r, int64(limit)))
}

// parse returns the codings of a Content-Encoding that change anything, by their
// proper names.
func parse(encoding string) ([]string, error) {
	var codings []string
	for part := range strings.SplitSeq(encoding, ",") {
		name := strings.ToLower(strings.Trim(part, " \t"))
		if name == "" || name == "identity" {
			continue
		}
		if !supported(name) {
			return nil, fmt.Errorf("%q: %w", name, ErrCoding)
		}
		if len(codings) == layersMax {
			return nil, fmt.Errorf("%d codings at once: %w", layersMax+1, ErrCoding)
		}
		codings = append(codings, name)
	}
	return codings, nil
}

// readAll returns what r gives, with the error that ended it.
func readAll(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return b, fmt.Errorf("decoding: %w", err)
	}
	return b, nil
}
