package response

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// packer is an encoder that can give what it has.
type packer interface {
	io.WriteCloser
	Flush() error
}

func newPacker(t testing.TB, coding string, w io.Writer) packer {
	t.Helper()
	var p packer
	var err error
	switch coding {
	case "gzip":
		p = gzip.NewWriter(w)
	case "zlib":
		p = zlib.NewWriter(w)
	case "raw":
		p, err = flate.NewWriter(w, flate.BestSpeed)
	case "br":
		p = brotli.NewWriter(w)
	default:
		p, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// packed returns the texts encoded, each flushed, in pieces: the last one is the end.
func packed(t testing.TB, coding string, texts ...string) []string {
	t.Helper()
	var pieces []string
	var b bytes.Buffer
	p := newPacker(t, coding, &b)
	take := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, b.String())
		b.Reset()
	}
	for _, text := range texts {
		_, _ = io.WriteString(p, text)
		take(p.Flush())
	}
	take(p.Close())
	return pieces
}

// codings are the ways to encode an answer, and the labels it may have then.
var codings = map[string]struct{ coding, label string }{
	"gzip":                  {"gzip", "gzip"},
	"gzip, no label":        {"gzip", ""},
	"gzip, another's label": {"gzip", "br"},
	"gzip, unknown label":   {"gzip", "utf-8"},
	"deflate":               {"zlib", "deflate"},
	"deflate, no label":     {"zlib", ""},
	"raw deflate":           {"raw", "deflate"},
	"br":                    {"br", "br"},
	"zstd":                  {"zstd", "zstd"},
	"zstd, no label":        {"zstd", ""},
}

func delta(text string) string {
	return fmt.Sprintf("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
}

const doneEvent = "data: [DONE]\n\n"

const goodAnswer = `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`
