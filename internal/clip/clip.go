// Package clip makes text that somebody else chose safe to keep: as a key of a map, a label,
// or a field of a log line.
package clip

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// mark stands between what is left of a text and the hash of all of it.
	mark = "...#"
	// hashBytes is how much of the hash is kept: nobody finds two texts with the same
	// 64 bits by chance, and whoever looks for some shares a key with himself.
	hashBytes = 8
	// Least is the shortest bound in bytes: mark and hash alone take that much.
	Least = len(mark) + 2*hashBytes
)

// Text returns text if it is valid UTF-8 of at most most bytes without control characters.
// Any other text is cut and cleaned, and ends in a hash of the whole, so that two texts
// that differ do so afterwards. The result has at most most bytes, which must not be less
// than Least. It may share memory with text.
func Text(text string, most int) string {
	if len(text) <= most && isPlain(text) {
		return text
	}
	return Long(text, sha256.Sum256([]byte(text)), most)
}

// Long is Text for a text that was not kept whole: head is how it begins, and sum the
// hash of all of it.
func Long(head string, sum [sha256.Size]byte, most int) string {
	room := most - Least
	var b strings.Builder
	for _, r := range head {
		r = clean(r)
		if b.Len()+utf8.RuneLen(r) > room {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + mark + hex.EncodeToString(sum[:hashBytes])
}

// isPlain reports whether nothing in text has to be replaced.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return clean(r) != r }) < 0
		}
	}
	return true
}

// clean returns what stands for r: a space for one that would begin a new line, and ? for
// one that is not to be seen, or turns the direction of what follows.
func clean(r rune) rune {
	switch {
	case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
		return ' '
	case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return '?'
	}
	return r
}
