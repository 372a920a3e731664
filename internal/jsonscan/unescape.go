package jsonscan

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Unescaper turns the raw text of one string, which may come in pieces, into what it says.
// The zero value is ready. It is for one goroutine.
type Unescaper struct {
	high    rune // a high surrogate that waits for its other half
	hex     rune // the digits of \uXXXX so far
	digits  int  // how many of them are still to come
	slash   bool // a backslash was read last
	scratch [2 * utf8.UTFMax]byte
}

// Reset makes u ready for another string.
func (u *Unescaper) Reset() { u.high, u.digits, u.slash = 0, 0, false }

// Next returns what the beginning of raw says, which may be nothing, and the rest of raw:
// call it again with that until it is empty. The piece is a slice of raw, or valid until
// the next call. An escape that JSON does not have says the character that is escaped.
func (u *Unescaper) Next(raw []byte) (piece, rest []byte) { //nolint:nonamedreturns // the names tell them apart
	switch {
	case len(raw) == 0:
		return nil, nil
	case u.digits > 0:
		return u.hexDigit(raw[0]), raw[1:]
	case u.slash:
		return u.escape(raw[0]), raw[1:]
	case raw[0] == '\\':
		u.slash = true
		if len(raw) > 1 {
			return u.escape(raw[1]), raw[2:]
		}
		return nil, nil
	case u.high != 0:
		return u.End(), raw
	}
	n := bytes.IndexByte(raw, '\\')
	if n < 0 {
		n = len(raw)
	}
	return raw[:n], raw[n:]
}

// End returns what the end of the string says: U+FFFD where a surrogate lacks its other
// half, else nothing.
func (u *Unescaper) End() []byte {
	if u.high == 0 {
		return nil
	}
	u.high = 0
	return utf8.AppendRune(u.scratch[:0], utf8.RuneError)
}

// escape reads the byte after a backslash.
func (u *Unescaper) escape(c byte) []byte {
	u.slash = false
	switch c {
	case 'u':
		u.hex, u.digits = 0, 4
		return nil
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	}
	if u.high != 0 {
		return append(u.End(), c)
	}
	u.scratch[0] = c
	return u.scratch[:1]
}

// hexDigit reads a digit of \uXXXX.
func (u *Unescaper) hexDigit(c byte) []byte {
	digit, _ := hexDigit(c)
	u.hex = u.hex<<4 | rune(digit)
	if u.digits--; u.digits > 0 {
		return nil
	}
	return u.unit(u.hex)
}

// unit takes one UTF-16 code unit, of which two may make a character.
func (u *Unescaper) unit(r rune) []byte {
	if both := utf16.DecodeRune(u.high, r); both != utf8.RuneError {
		u.high = 0
		return utf8.AppendRune(u.scratch[:0], both)
	}
	piece := u.End()
	if utf16.IsSurrogate(r) { // a low one waits in vain
		u.high = r
		return piece
	}
	if piece == nil {
		piece = u.scratch[:0]
	}
	return utf8.AppendRune(piece, r)
}

// hexDigit returns what c is worth as a hex digit, and whether it is one.
func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	default:
		return 0, false
	}
}
