package pick

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// role is what a string is read for.
type role uint8

const (
	rolePassed role = iota // nothing
	roleKey
	roleModel
	rolePrompt // its length counts
	roleTier   // the service tier
	roleType   // a "type" in the prompt or the tools: it counts and is looked at
)

func (o *object) beginString(r role) {
	o.state, o.role, o.high = inString, r, 0
	o.begin(r, o.offset+1)
}

// text reads the plain text at the start of p, and the byte that ends it. It returns
// how many bytes it read, at least one.
func (o *object) text(p []byte) int {
	n := Plain(p)
	if n > 0 {
		o.loneHigh()
		o.read(o.role, p[:n])
	}
	if n == len(p) {
		return n
	}
	switch p[n] {
	case '"':
		if o.role == roleModel {
			o.model.end = o.offset + int64(n)
		}
		o.endString()
	case '\\':
		o.state = inEscape
	default:
		o.state = broken // a control character (RFC 8259, section 7)
	}
	return n + 1
}

func (o *object) endString() {
	o.loneHigh()
	o.state = afterValue
	if o.role == roleKey {
		o.state = atColon
	}
	o.finish(o.role, o.depth)
}

// escape reads the byte after a backslash.
func (o *object) escape(c byte) {
	o.state = inString
	switch c {
	case 'u':
		o.state, o.hex, o.digits = inHex, 0, 0
		return
	case '"', '\\', '/':
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
	default:
		o.state = broken
		return
	}
	o.loneHigh()
	o.character(rune(c))
}

// hexDigit reads a digit of \uXXXX.
func (o *object) hexDigit(c byte) {
	switch {
	case c >= '0' && c <= '9':
		c -= '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		c = c | 0x20 - 'a' + 10
	default:
		o.state = broken
		return
	}
	o.hex = o.hex<<4 | rune(c)
	o.digits++
	if o.digits == 4 {
		o.state = inString
		o.unit(o.hex)
	}
}

// unit takes one UTF-16 code unit, of which two may make a character.
func (o *object) unit(r rune) {
	if o.high != 0 {
		if both := utf16.DecodeRune(o.high, r); both != utf8.RuneError {
			o.high = 0
			o.character(both)
			return
		}
		o.loneHigh()
	}
	if utf16.IsSurrogate(r) { // a low one waits in vain
		o.high = r
		return
	}
	o.character(r)
}

// loneHigh gives up waiting for a surrogate's other half. encoding/json, too, reads
// U+FFFD then.
func (o *object) loneHigh() {
	if o.high != 0 {
		o.high = 0
		o.character(utf8.RuneError)
	}
}

// character reads a character that was escaped.
func (o *object) character(r rune) {
	o.read(o.role, utf8.AppendRune(o.scratch[:0], r))
}

// Plain returns the length of the text at the start of p that has no quote, no
// backslash and no control character, eight bytes at a time: of a body with images
// that is nearly all.
func Plain(p []byte) int {
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
