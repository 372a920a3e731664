package decode

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOpenGoesByTheBytesBeforeTheLabel(t *testing.T) {
	text := []byte(sample)
	tests := map[string]struct {
		said string
		raw  []byte
		want []string
	}{
		"nothing":                    {"", text, nil},
		"identity":                   {"identity", text, nil},
		"gzip":                       {"gzip", encode(t, "gzip", text), []string{"gzip"}},
		"gzip unsaid":                {"", encode(t, "gzip", text), []string{"gzip"}},
		"zstd unsaid":                {"", encode(t, "zstd", text), []string{"zstd"}},
		"zlib unsaid":                {"identity", encode(t, "zlib", text), []string{"deflate"}},
		"br":                         {"br", encode(t, "br", text), []string{"br"}},
		"raw deflate":                {"deflate", encode(t, "raw", text), []string{"deflate"}},
		"gzip that is said to be br": {"br", encode(t, "gzip", text), []string{"gzip"}},
		"zstd said to be gzip":       {"gzip", encode(t, "zstd", text), []string{"zstd"}},
		"plain said to be gzip":      {"gzip", text, nil},
		"plain said to be zstd":      {"zstd, gzip", text, nil},
		"an unknown label":           {"application/gzip", encode(t, "gzip", text), []string{"gzip"}},
		"two layers":                 {"gzip, br", encode(t, "br", encode(t, "gzip", text)), []string{"gzip", "br"}},
		"two layers, one said":       {"br", encode(t, "br", encode(t, "gzip", text)), []string{"gzip", "br"}},
		"two layers, none said":      {"", encode(t, "zstd", encode(t, "gzip", text)), []string{"gzip", "zstd"}},
		"one layer, two said":        {"gzip, gzip", encode(t, "gzip", text), []string{"gzip"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, src := range []io.Reader{bytes.NewReader(tt.raw), iotest.OneByteReader(bytes.NewReader(tt.raw)), iotest.DataErrReader(bytes.NewReader(tt.raw))} {
				r, codings, err := Open(tt.said, src, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != sample || !slices.Equal(codings, tt.want) {
					t.Errorf("got %q in %v, %v", got, codings, err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if _, err := r.Read(make([]byte, 1)); err == nil {
					t.Error("it can be read when it is closed")
				}
			}
		})
	}
}

func TestOpenTellsWhatCannotBeRead(t *testing.T) {
	zip := encode(t, "gzip", []byte(sample))
	bomb := encode(t, "gzip", make([]byte, 4<<20))
	five := []byte(sample)
	for range layersMax + 1 {
		five = encode(t, "gzip", five)
	}
	tests := map[string]struct {
		said string
		raw  []byte
		want error
	}{
		"an unknown coding":      {"snappy", []byte(sample), ErrCoding},
		"cut short":              {"gzip", zip[:len(zip)-9], io.ErrUnexpectedEOF},
		"cut in the header":      {"gzip", zip[:5], io.ErrUnexpectedEOF},
		"a bomb":                 {"gzip", bomb, ErrTooLong},
		"a bomb within":          {"", encode(t, "gzip", bomb), ErrTooLong},
		"too many layers":        {"", five, ErrCoding},
		"too many that are said": {"br, br, br, br, br", []byte(sample), ErrCoding},
		"zstd cut short":         {"zstd", encode(t, "zstd", []byte(sample))[:20], io.ErrUnexpectedEOF},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, _, err := Open(tt.said, bytes.NewReader(tt.raw), 1<<20)
			var n int64
			if err == nil {
				n, err = io.Copy(io.Discard, r)
				_ = r.Close()
			}
			if !errors.Is(err, tt.want) || n > 1<<20 {
				t.Errorf("got %v after %d bytes, want %v", err, n, tt.want)
			}
		})
	}
	exact := strings.Repeat("x", 1<<20)
	r, _, err := Open("", bytes.NewReader(encode(t, "gzip", []byte(exact))), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != exact {
		t.Errorf("a body of just the bound: %d bytes, %v", len(got), err)
	}
}

// FuzzOpen holds that no input makes more than the bound, whatever it is said to be.
func FuzzOpen(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		f.Add("gzip", encode(f, coding, []byte(sample)))
		f.Add("br", encode(f, coding, make([]byte, 1<<20)))
		f.Add("", encode(f, coding, encode(f, "gzip", make([]byte, 1<<20))))
	}
	f.Add("deflate, br, snappy", []byte("{}"))
	f.Fuzz(func(t *testing.T, said string, raw []byte) {
		const most = 64 << 10
		r, codings, err := Open(said, bytes.NewReader(raw), most)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, r)
		_ = r.Close()
		switch {
		case len(codings) > layersMax:
			t.Fatalf("%d layers", len(codings))
		case len(codings) == 0 && (err != nil || n != int64(len(raw))):
			t.Fatalf("plain data of %d bytes: %d, %v", len(raw), n, err)
		case len(codings) > 0 && n > most:
			t.Fatalf("%d bytes of at most %d", n, most)
		}
	})
}
