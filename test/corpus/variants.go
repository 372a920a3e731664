package corpus

import (
	"bytes"
	"slices"
)

// Ends returns the offset behind each event, by its number; the first is 0. What
// stands in front of an event, as comments do, belongs to it. It goes by the files
// here: LF, and no event without data.
func (t Transcript) Ends() []int {
	ends := []int{0}
	at := 0
	for block := range bytes.SplitAfterSeq(t.Stream, []byte("\n\n")) {
		at += len(block)
		if len(block) > 0 && block[0] != ':' {
			ends = append(ends, at)
		}
	}
	return ends
}

// Until returns the stream up to the end of an event, by its number.
func (t Transcript) Until(event int) []byte { return t.Stream[:t.Ends()[event]] }

// ErrorFirst returns the stream that fails where it would have begun to say something.
func (t Transcript) ErrorFirst() []byte {
	return slices.Concat(t.Until(t.First-1), t.Error)
}

// ErrorLate returns the stream that fails after its first content.
func (t Transcript) ErrorLate() []byte {
	return slices.Concat(t.Until(t.First), t.Error)
}

// Spellings returns other ways to write the same events, by name.
func Spellings(stream []byte) map[string][]byte {
	with := func(end string) []byte { return bytes.ReplaceAll(stream, []byte("\n"), []byte(end)) }
	mark := []byte("\xEF\xBB\xBF")
	return map[string][]byte{
		"LF":         stream,
		"CRLF":       with("\r\n"),
		"CR":         with("\r"),
		"BOM":        slices.Concat(mark, stream),
		"BOM, CRLF":  slices.Concat(mark, with("\r\n")),
		"no space":   bytes.ReplaceAll(stream, []byte("\ndata: "), []byte("\ndata:")),
		"with an id": slices.Concat([]byte("id: 1\nretry: 3000\n"), stream),
	}
}
