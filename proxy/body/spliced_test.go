package body

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestASplicedBodyReadsTheSameInPiecesOfAnySize(t *testing.T) {
	const text, want = `{"model":"gpt-4o","n":1}`, `{"model":"m","n":1}`
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"as it comes":     func(r io.Reader) io.Reader { return r },
		"one byte":        iotest.OneByteReader,
		"half":            iotest.HalfReader,
		"with the end":    iotest.DataErrReader,
		"one and with it": func(r io.Reader) io.Reader { return iotest.OneByteReader(iotest.DataErrReader(r)) },
	} {
		t.Run(name, func(t *testing.T) {
			splice := func() io.Reader {
				return &spliced{src: io.NopCloser(wrap(strings.NewReader(text))), before: 10, text: "m", skip: 6}
			}
			if got, err := io.ReadAll(splice()); err != nil || string(got) != want {
				t.Errorf("read %q, %v, want %q", got, err, want)
			}
			if got, err := io.ReadAll(iotest.OneByteReader(splice())); err != nil || string(got) != want {
				t.Errorf("in single bytes %q, %v, want %q", got, err, want)
			}
		})
	}
}
