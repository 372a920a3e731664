package decode

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// flusher is what the encoders have in common.
type flusher interface {
	io.WriteCloser
	Flush() error
}

// flushed returns the events encoded so that each can be read when its bytes are there,
// and how many bytes those are. The last ones end the encoding.
func flushed(t testing.TB, coding string, events []string) ([]byte, []int) {
	t.Helper()
	var b bytes.Buffer
	var w flusher
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
	default:
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	}
	var ends []int
	for _, event := range events {
		if err == nil {
			_, err = io.WriteString(w, event)
		}
		if err == nil {
			err = w.Flush()
		}
		ends = append(ends, b.Len())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), ends
}

// label is the Content-Encoding of what encode makes.
func label(coding string) string {
	if coding == "zlib" || coding == "raw" {
		return "deflate"
	}
	return coding
}

func copyOf(t testing.TB, encoding string, out io.Writer) *Copy {
	t.Helper()
	c, err := NewCopy(encoding, out)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACopyGivesEachEventWhenItsBytesAreThere(t *testing.T) {
	events := []string{"data: one\n\n", "data: two, and more of it\n\n", ": ping\n\n", "data: [DONE]\n\n"}
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		t.Run(coding, func(t *testing.T) {
			raw, ends := flushed(t, coding, events)
			var got bytes.Buffer
			c := copyOf(t, label(coding), &got)
			defer c.Close()
			from, want := 0, ""
			for i, end := range ends {
				for ; from < end; from++ {
					_, _ = c.Write(raw[from : from+1])
				}
				if want += events[i]; got.String() != want {
					t.Fatalf("after event %d: %q, want %q", i+1, got.String(), want)
				}
			}
			if c.Over() {
				t.Error("over before its end")
			}
			_, _ = c.Write(raw[from:])
			if known := coding != "br" && coding != "zstd"; c.Over() != known {
				t.Errorf("over is %v at its end", c.Over())
			}
			c.End()
			if !c.Over() || c.Torn() {
				t.Errorf("at the end: over %v, torn %v", c.Over(), c.Torn())
			}
		})
	}
}

func TestACopyKnowsAnEncodingThatLacksItsEnd(t *testing.T) {
	events := []string{"data: one\n\n", "data: two\n\n"}
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		raw, ends := flushed(t, coding, events)
		for n := range raw {
			c := copyOf(t, label(coding), io.Discard)
			_, _ = c.Write(raw[:n])
			c.End()
			// An empty body is none, and a br or zstd stream may be whole one byte before the
			// encoder writes its last, empty block.
			early := coding == "zstd" && n >= ends[1]
			if torn := c.Torn(); torn != (n > 0) && !early {
				t.Errorf("%s, %d of %d bytes: torn is %v", coding, n, len(raw), torn)
			}
			c.Close()
		}
	}
}

func TestWhatFollowsAnEncodingIsNotMissed(t *testing.T) {
	one, two := encode(t, "gzip", []byte("data: one\n\n")), encode(t, "gzip", []byte("data: two\n\n"))
	none := encode(t, "gzip", nil)
	tests := map[string]struct {
		encoding string
		raw      []byte
		want     string
		torn     bool
	}{
		"a second member":          {"gzip", append(bytes.Clone(one), two...), "data: one\n\ndata: two\n\n", false},
		"an empty member":          {"gzip", append(bytes.Clone(one), none...), "data: one\n\n", false},
		"half a second member":     {"gzip", append(bytes.Clone(one), two[:len(two)-4]...), "data: one\n\ndata: two\n\n", true},
		"a second member's magic":  {"gzip", append(bytes.Clone(one), 0x1f, 0x8b), "data: one\n\n", true},
		"zeros":                    {"gzip", append(bytes.Clone(one), 0, 0, 0), "data: one\n\n", false},
		"a line end":               {"gzip", append(bytes.Clone(one), '\n'), "data: one\n\n", false},
		"text behind deflate":      {"deflate", append(encode(t, "zlib", []byte("a")), "text"...), "a", false},
		"a second zstd frame":      {"zstd", append(encode(t, "zstd", []byte("a")), encode(t, "zstd", []byte("b"))...), "ab", false},
		"an outer one without end": {"br, gzip", encode(t, "gzip", encode(t, "br", []byte("abc")))[:20], "", true},
		"plain text as gzip":       {"gzip", []byte(sample), "", false},
		"a wrong sum":              {"gzip", append(bytes.Clone(one[:len(one)-8]), 1, 2, 3, 4, 5, 6, 7, 8), "data: one\n\n", false},
	}
	for name, tt := range tests {
		for _, size := range []int{1, 3, 1 << 10} {
			var got strings.Builder
			c := copyOf(t, tt.encoding, &got)
			for i := 0; i < len(tt.raw); i += size {
				_, _ = c.Write(tt.raw[i:min(i+size, len(tt.raw))])
			}
			c.End()
			if name != "an outer one without end" && got.String() != tt.want || c.Torn() != tt.torn {
				t.Errorf("%s by %d: %q, torn %v, want %q, %v", name, size, got.String(), c.Torn(), tt.want, tt.torn)
			}
			c.Close()
		}
	}
}

func TestACopyOfAnUnknownCodingIsRefused(t *testing.T) {
	if _, err := NewCopy("exi", io.Discard); !errors.Is(err, ErrCoding) {
		t.Error(err)
	}
}

func TestACopyCanBeClosedAtAnyTime(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, coding := range []string{"gzip", "zlib", "br", "zstd"} {
		raw := encode(t, coding, []byte(sample))
		for n := range raw {
			c := copyOf(t, label(coding), io.Discard)
			_, _ = c.Write(raw[:n])
			c.Close()
			_, _ = c.Write(raw[n:])
			c.End()
			c.Close()
		}
		copyOf(t, label(coding), io.Discard).Close()
	}
	if now := runtime.NumGoroutine(); now > before+2 {
		t.Errorf("%d goroutines, %d before", now, before)
	}
}

// counter counts what a copy makes.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestACopyOfABombGivesUp(t *testing.T) {
	zeros := make([]byte, 32<<20)
	for name, tt := range map[string]struct {
		encoding string
		raw      []byte
	}{
		"gzip":         {"gzip", encode(t, "gzip", zeros)},
		"br":           {"br", encode(t, "br", zeros)},
		"zstd":         {"zstd", encode(t, "zstd", zeros)},
		"gzip in gzip": {"gzip, gzip", encode(t, "gzip", encode(t, "gzip", zeros))},
		"gzip in br":   {"gzip, br", encode(t, "br", bytes.Repeat(encode(t, "gzip", nil), 1<<18))},
	} {
		var made counter
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c := copyOf(t, tt.encoding, &made)
		for i := 0; i < len(tt.raw); i += 1 << 10 {
			_, _ = c.Write(tt.raw[i:min(i+1<<10, len(tt.raw))])
		}
		c.End()
		c.Close()
		runtime.ReadMemStats(&after)
		if most := int64(copySlack + copyRatio*len(tt.raw)); int64(made) > most || c.Torn() {
			t.Errorf("%s: %d bytes of %d, torn %v", name, made, len(tt.raw), c.Torn())
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 24<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
}

// FuzzCopy shows a copy any bytes in any split: it gives what Body gives, keeps to its
// bounds, and neither hangs nor panics.
func FuzzCopy(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		raw, _ := flushed(f, coding, []string{"data: one\n\n", sample})
		f.Add(label(coding), raw, uint64(1))
		f.Add(label(coding), raw[:len(raw)-3], uint64(2))
		f.Add(label(coding), encode(f, coding, make([]byte, 2<<20)), uint64(3))
	}
	f.Add("gzip, br", encode(f, "br", encode(f, "gzip", []byte(sample))), uint64(4))
	f.Fuzz(func(t *testing.T, encoding string, raw []byte, seed uint64) {
		if len(raw) > 64<<10 {
			return
		}
		most := copySlack + copyRatio*len(raw)
		var got bytes.Buffer
		c, err := NewCopy(encoding, &got)
		if err != nil {
			return
		}
		began := time.Now()
		random := rand.New(rand.NewPCG(seed, 0))
		for rest := raw; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 4<<10))
			_, _ = c.Write(rest[:n])
			rest = rest[n:]
		}
		c.End()
		torn := c.Torn()
		c.Close()
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("%s for %d bytes", took, len(raw))
		}
		if got.Len() > most {
			t.Fatalf("%d bytes of %d", got.Len(), len(raw))
		}
		if got.Len() > 1<<20 {
			return // a bomb, or near it: the two have other bounds
		}
		whole, err := Body(encoding, raw, most)
		if err == nil && len(whole) < 1<<20 && (torn || !bytes.Equal(got.Bytes(), whole)) {
			t.Fatalf("a copy has %d bytes (torn: %v), the whole %d", got.Len(), torn, len(whole))
		}
	})
}
