package echoes

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a text, in lower case, with where it stands.
type word struct {
	text       string
	start, end int
}

// longest is how many bytes of a word are compared. What is longer is data.
const longest = 64

// scanner reads the words of a text: runs of letters and digits, and each Chinese character alone, since nothing parts those.
type scanner struct {
	text string
	at   int
	buf  [longest]byte
}

// next returns the next word, and whether there was one.
func (s *scanner) next() (word, bool) {
	n, start := 0, s.at
	for s.at < len(s.text) {
		before := s.at
		c, silent := s.char()
		switch {
		case silent:
		case unicode.Is(unicode.Han, c):
			if n > 0 {
				s.at = before
				return word{string(s.buf[:n]), start, before}, true
			}
			return word{string(c), before, s.at}, true
		case unicode.IsLetter(c), unicode.IsDigit(c):
			if n == 0 {
				start = before
			}
			if n+utf8.UTFMax <= longest {
				n += utf8.EncodeRune(s.buf[n:], c)
			}
		case n > 0:
			return word{string(s.buf[:n]), start, before}, true
		}
	}
	return word{string(s.buf[:n]), start, s.at}, n > 0
}

// char reads one character in lower case, unescaped, and whether it is one that nobody sees.
func (s *scanner) char() (rune, bool) {
	rest := s.text[s.at:]
	switch c := rest[0]; {
	case c == '\\':
		return s.escape()
	case c == '%':
		if r, n := percent(rest); n > 0 {
			s.at += n
			return fold(r), unicode.Is(unicode.Cf, r)
		}
	case c == '&':
		if end := strings.IndexByte(rest[:min(len(rest), 9)], ';'); end > 1 && !strings.Contains(rest[:end], " ") {
			s.at += end + 1
			return ' ', false
		}
	case c < utf8.RuneSelf:
		s.at++
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		return rune(c), false
	}
	r, n := utf8.DecodeRuneInString(rest)
	s.at += n
	return fold(r), unicode.Is(unicode.Cf, r)
}

// escape reads what backslashes escape: a character of JSON, however often it was escaped, or nothing.
func (s *scanner) escape() (rune, bool) {
	for s.at < len(s.text) && s.text[s.at] == '\\' {
		s.at++
	}
	rest := s.text[s.at:]
	if rest == "" {
		return ' ', false
	}
	switch rest[0] {
	case 'n', 't', 'r', 'b', 'f':
		s.at++
	case 'u':
		if len(rest) >= 5 {
			if n, err := strconv.ParseUint(rest[1:5], 16, 16); err == nil {
				s.at += 5
				return fold(rune(n)), unicode.Is(unicode.Cf, rune(n))
			}
		}
	}
	return ' ', false
}

// percent reads one character of a URL's escapes and how many bytes it takes there, 0 if it is none.
func percent(text string) (rune, int) {
	var raw [utf8.UTFMax]byte
	n := 0
	for n < len(raw) && len(text) >= 3*n+3 && text[3*n] == '%' {
		b, err := strconv.ParseUint(text[3*n+1:3*n+3], 16, 8)
		if err != nil {
			break
		}
		raw[n] = byte(b)
		if n++; utf8.FullRune(raw[:n]) {
			break
		}
	}
	if n == 0 {
		return 0, 0
	}
	r, _ := utf8.DecodeRune(raw[:n])
	return r, 3 * n
}

// fold returns a character in lower case, and wide forms of ASCII as ASCII: a server may have made them so.
func fold(c rune) rune {
	const wideFirst, wideLast, wide = '！', '～', '！' - '!'
	if c >= wideFirst && c <= wideLast {
		c -= wide
	}
	return unicode.ToLower(c)
}
