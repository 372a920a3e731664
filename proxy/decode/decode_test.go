package decode

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

const sample = `{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`

// encode returns data in one coding; "raw" is deflate without its zlib wrapper.
func encode(t testing.TB, coding string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "raw":
		w, err = flate.NewWriter(&b, flate.DefaultCompression)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	default:
		t.Fatalf("no encoder for %q", coding)
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBodyDecodesEveryCodingAndListsOfThem(t *testing.T) {
	text := []byte(sample)
	tests := map[string]struct {
		encoding string
		raw      []byte
	}{
		"none":              {"", text},
		"identity":          {"identity", text},
		"gzip":              {"gzip", encode(t, "gzip", text)},
		"gzip in capitals":  {"GZIP", encode(t, "gzip", text)},
		"old name of gzip":  {"x-gzip", encode(t, "gzip", text)},
		"two gzip members":  {"gzip", append(encode(t, "gzip", text[:20]), encode(t, "gzip", text[20:])...)},
		"deflate":           {"deflate", encode(t, "zlib", text)},
		"raw deflate":       {"deflate", encode(t, "raw", text)},
		"br":                {"br", encode(t, "br", text)},
		"zstd":              {"zstd", encode(t, "zstd", text)},
		"gzip then br":      {"gzip, br", encode(t, "br", encode(t, "gzip", text))},
		"br then gzip":      {" br ,gzip", encode(t, "gzip", encode(t, "br", text))},
		"with identity":     {"identity, gzip,,identity", encode(t, "gzip", text)},
		"as many as can be": {"gzip, deflate, br, zstd", encode(t, "zstd", encode(t, "br", encode(t, "zlib", encode(t, "gzip", text))))},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Body(tc.encoding, tc.raw, 0)
			if err != nil || string(got) != sample {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestBodyIsCappedWithoutAnError(t *testing.T) {
	long := []byte(strings.Repeat("0123456789abcdef", 8192)) // 128 KiB
	for _, coding := range []string{"identity", "gzip", "zlib", "raw", "br", "zstd"} {
		t.Run(coding, func(t *testing.T) {
			name, raw := coding, long
			if coding != "identity" {
				raw = encode(t, coding, long)
			}
			if coding == "zlib" || coding == "raw" {
				name = "deflate"
			}
			for limit, want := range map[int]int{0: Max, -1: Max, 1: 1, 1000: 1000, len(long): len(long), 1 << 20: len(long), math.MaxInt: len(long)} {
				got, err := Body(name, raw, limit)
				if err != nil || !bytes.Equal(got, long[:want]) {
					t.Errorf("limit %d: got %d bytes, %v, want %d", limit, len(got), err, want)
				}
			}
		})
	}
}

func TestBodyOfBrokenInputIsWhatWasDecodedAndAnError(t *testing.T) {
	long := []byte(strings.Repeat(sample, 2000))
	gz := encode(t, "gzip", long)
	wrongSum := bytes.Clone(encode(t, "gzip", []byte(sample)))
	wrongSum[len(wrongSum)-8] ^= 1
	tests := map[string]struct {
		encoding string
		raw      []byte
		early    bool // io.ErrUnexpectedEOF
		some     bool // a part of the text is decoded
	}{
		"gzip cut short":          {"gzip", gz[:len(gz)/2], true, true},
		"gzip without its sum":    {"gzip", gz[:len(gz)-8], true, true},
		"gzip with a wrong sum":   {"gzip", wrongSum, false, true},
		"gzip and then garbage":   {"gzip", append(bytes.Clone(gz), "garbage that is no member"...), false, true},
		"gzip cut in its header":  {"gzip", gz[:5], true, false},
		"gzip that is plain text": {"gzip", []byte(sample), false, false},
		"gzip without a byte":     {"gzip", nil, true, false},
		"deflate of one byte":     {"deflate", []byte{0x78}, true, false},
		"deflate cut short":       {"deflate", encode(t, "zlib", long)[:200], true, true},
		"deflate of garbage":      {"deflate", []byte{0xff, 0xff}, false, false},
		"br cut short":            {"br", encode(t, "br", long)[:60], true, false},
		"zstd cut short":          {"zstd", encode(t, "zstd", long)[:60], true, false},
		"zstd that is plain text": {"zstd", []byte(sample), false, false},
		"inner coding broken":     {"br, gzip", encode(t, "gzip", encode(t, "br", long)[:60]), true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Body(tc.encoding, tc.raw, len(long))
			if err == nil || errors.Is(err, ErrCoding) || errors.Is(err, io.ErrUnexpectedEOF) != tc.early {
				t.Errorf("error %v", err)
			}
			if !bytes.HasPrefix(long, got) || tc.some && len(got) == 0 {
				t.Errorf("decoded %d bytes, want some: %v", len(got), tc.some)
			}
		})
	}
}

func TestBodyOfAnUnknownCodingIsAnErrorThatNamesIt(t *testing.T) {
	for _, encoding := range []string{"compress", "gzip, exi", "dcb", "gzip,gzip,gzip,gzip,gzip"} {
		got, err := Body(encoding, []byte(sample), 0)
		if got != nil || !errors.Is(err, ErrCoding) {
			t.Errorf("%q: got %q, %v", encoding, got, err)
		}
	}
}

// A bomb's 16 MiB must not be made, neither at the end nor between two codings.
func TestBombsAreHarmless(t *testing.T) {
	const size, bound = 16 << 20, 12 << 20
	zeros := make([]byte, size)
	for name, tc := range map[string]struct {
		encoding string
		raw      []byte
		broken   bool
	}{
		"gzip":            {"gzip", encode(t, "gzip", zeros), false},
		"br":              {"br", encode(t, "br", zeros), false},
		"zstd":            {"zstd", encode(t, "zstd", zeros), false},
		"gzip in gzip":    {"gzip, gzip", encode(t, "gzip", encode(t, "gzip", zeros)), false},
		"zeros as gzip":   {"gzip, br", encode(t, "br", zeros), true},
		"empty members":   {"gzip, br", encode(t, "br", bytes.Repeat(encode(t, "gzip", nil), size/64)), true},
		"zeros as a list": {"br, zstd, gzip", encode(t, "gzip", encode(t, "zstd", zeros)), true},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := Body(tc.encoding, tc.raw, Max)
			runtime.ReadMemStats(&after)
			if tc.broken {
				if err == nil {
					t.Error("no error")
				}
			} else if err != nil || !bytes.Equal(got, zeros[:Max]) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			t.Logf("%d bytes in, %d allocated", len(tc.raw), after.TotalAlloc-before.TotalAlloc)
			if used := after.TotalAlloc - before.TotalAlloc; used > bound {
				t.Errorf("%d bytes allocated", used)
			}
		})
	}
}

// A frame is made by hand (RFC 8878, section 3.1.1): magic number, descriptor,
// window of 2^(10+exponent) bytes, one last raw block of one byte.
func TestZstdWindowsBeyondTheAllowedAreRefused(t *testing.T) {
	for exponent, want := range map[byte]error{13: nil, 14: zstd.ErrWindowSizeExceeded, 31: zstd.ErrWindowSizeExceeded} {
		frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 1<<3 | 1, 0, 0, 'x'}
		got, err := Body("zstd", frame, 0)
		if !errors.Is(err, want) || want == nil && string(got) != "x" {
			t.Errorf("2^%d bytes: got %q, %v", 10+exponent, got, err)
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		f.Add(strings.NewReplacer("zlib", "deflate", "raw", "deflate").Replace(coding), encode(f, coding, []byte(sample)), 100)
	}
	f.Add("gzip, br", encode(f, "br", encode(f, "gzip", []byte(sample))), 0)
	f.Fuzz(func(t *testing.T, encoding string, raw []byte, limit int) {
		limit = min(limit, 1<<20)
		got, err := Body(encoding, raw, limit)
		if limit <= 0 {
			limit = Max
		}
		if len(got) > limit {
			t.Fatalf("%d bytes, at most %d were wanted", len(got), limit)
		}
		if errors.Is(err, ErrCoding) && got != nil {
			t.Fatal("decoded what is not supported")
		}
		for _, coding := range []string{"gzip", "zlib", "br", "zstd"} {
			again, err := Body(strings.Replace(coding, "zlib", "deflate", 1), encode(t, coding, raw), limit)
			if err != nil || !bytes.Equal(again, raw[:min(len(raw), limit)]) {
				t.Fatalf("%s: %d bytes of %d came back, %v", coding, len(again), len(raw), err)
			}
		}
	})
}
