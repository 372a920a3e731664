package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Values of Scanner.escape: none, behind a backslash, or one more than the number of hex
// digits that are still to come.
const (
	noEscape    = 0
	behindSlash = 1
	fourDigits  = 5
)

// text reads a string that goes on at i, up to its closing quote or the end of p.
func (s *Scanner) text(p []byte, i int) (Token, []byte, int) {
	if i > 0 {
		s.escaped = false
	}
	if s.mode != Loose {
		return s.checkedText(p, i)
	}
	end := closing(p[i:], s.escape == behindSlash)
	if end < 0 {
		odd := oddBackslashes(p[i:], s.escape == behindSlash)
		s.escape = noEscape
		if odd {
			s.escape = behindSlash
		}
		return s.textPart(), p[i:], len(p)
	}
	s.escape = noEscape
	return s.textEnd(), p[i : i+end], i + end + 1
}

// checkedText is text where control characters, and in Strict mode escapes, are looked at.
func (s *Scanner) checkedText(p []byte, from int) (Token, []byte, int) {
	for i := from; ; i++ {
		for s.escape != noEscape {
			if i == len(p) {
				return s.textPart(), p[from:], i
			}
			if !s.escapes(p[i]) {
				return s.badText(p[from:i], i)
			}
			i++
		}
		i += plain(p[i:])
		if i == len(p) {
			return s.textPart(), p[from:], i
		}
		switch p[i] {
		case '"':
			return s.textEnd(), p[from:i], i + 1
		case '\\':
			s.escaped = true
			if i+1 < len(p) && (simple[p[i+1]] || s.mode == Search) {
				i++
				continue
			}
			s.escape = behindSlash
		default:
			return s.badText(p[from:i], i)
		}
	}
}

// escapes reads a byte of an escape, and reports whether it may stand there.
func (s *Scanner) escapes(c byte) bool {
	if s.escape == behindSlash {
		s.escape = noEscape
		if s.mode == Search {
			return true
		}
		if c == 'u' {
			s.escape = fourDigits
			return true
		}
		return simple[c]
	}
	s.escape--
	if s.escape == behindSlash {
		s.escape = noEscape
	}
	_, ok := hexDigit(c)
	return ok
}

// simple are the bytes that are an escape behind a backslash.
var simple = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// badText ends what is no string at i. What there was of it is a piece, whatever the
// pieces are that the value arrives in.
func (s *Scanner) badText(text []byte, i int) (Token, []byte, int) {
	if s.mode == Search {
		s.state = Start
		return NoText, nil, i + 1
	}
	token := s.textPart()
	s.state = NoJSON
	return token, text, i + 1
}

func (s *Scanner) textPart() Token {
	if s.state == InName {
		return NamePart
	}
	return TextPart
}

// textEnd ends the name or string at hand.
func (s *Scanner) textEnd() Token {
	switch {
	case s.state == InName:
		s.state = WantColon
		return Name
	case s.mode == Search:
		s.state = Start
	default:
		s.valueEnd()
	}
	return Text
}

// closing returns where the quote is in p that ends the string which goes on at its first
// byte, -1 if it is not in p. A quote counts unless an odd number of backslashes stands before
// it; escaped says so of the first byte.
func closing(p []byte, escaped bool) int {
	for from := 0; ; {
		n := bytes.IndexByte(p[from:], '"')
		if n < 0 {
			return -1
		}
		from += n + 1
		slashes := 0
		for at := from - 2; at >= 0 && p[at] == '\\'; at-- {
			slashes++
		}
		if slashes == from-1 && escaped {
			slashes++ // they reach back to the first byte
		}
		if slashes%2 == 0 {
			return from - 1
		}
	}
}

// oddBackslashes reports whether b ends in an odd number of backslashes, where
// before says so of what came before b.
func oddBackslashes(b []byte, before bool) bool {
	n := len(b)
	for n > 0 && b[n-1] == '\\' {
		n--
	}
	odd := (len(b)-n)%2 == 1
	if n == 0 {
		return odd != before
	}
	return odd
}

// plain returns the length of the text at the start of p that has no quote, no
// backslash and no control character, eight bytes at a time: of a body with images
// that is nearly all.
func plain(p []byte) int {
	const (
		ones      = 0x0101010101010101
		highs     = 0x8080808080808080
		quote     = '"' * ones
		backslash = '\\' * ones
		space     = ' ' * ones
	)
	i := 0
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:])
		// A byte's high bit is set where the byte is zero after the exclusive or,
		// or below a space; carries reach only bytes after the first one found.
		found := ((w^quote)-ones)&^(w^quote) | ((w^backslash)-ones)&^(w^backslash) | (w-space)&^w
		if found &= highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(p); i++ {
		if c := p[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}
