package jsonscan

import (
	"encoding/binary"
	"math/bits"
)

// Nesting counts the open brackets of JSON that comes in pieces, and looks at nothing else:
// brackets need not match. The zero value is ready.
type Nesting struct {
	depth         int
	text, escaped bool // in a string, and behind its backslash
}

// Read reads from p, up to the bracket that ends the outermost object or array. It returns how many bytes it
// read, which is all of p where there is no such bracket.
func (n *Nesting) Read(p []byte) int {
	for i := 0; i < len(p); i++ {
		if n.text {
			end := closing(p[i:], n.escaped)
			if end < 0 {
				n.escaped = oddBackslashes(p[i:], n.escaped)
				return len(p)
			}
			n.text, n.escaped = false, false
			i += end
			continue
		}
		if i += unstructured(p[i:]); i == len(p) { // embeddings are megabytes of digits
			break
		}
		switch p[i] {
		case '"':
			n.text = true
		case '{', '[':
			n.depth++
		default:
			if n.depth--; n.depth == 0 {
				return i + 1
			}
		}
	}
	return len(p)
}

// unstructured returns the length of the text at the start of p that has no quote, bracket
// or brace, eight bytes at a time.
func unstructured(p []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
		fold  = 0x20 * ones // turns brackets into braces
		quote = '"' * ones
		left  = '{' * ones
		right = '}' * ones
	)
	i := 0
	for ; i < min(len(p), 4); i++ { // mostly a name or another string is next
		if structural[p[i]] {
			return i
		}
	}
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:]) | fold
		// See plain. What fold makes a quote of, a control character, is sorted out below.
		found := ((w^quote)-ones)&^(w^quote) | ((w^left)-ones)&^(w^left) | ((w^right)-ones)&^(w^right)
		for found &= highs; found != 0; found &= found - 1 {
			if at := i + bits.TrailingZeros64(found)/8; structural[p[at]] {
				return at
			}
		}
	}
	for i < len(p) && !structural[p[i]] {
		i++
	}
	return i
}

// Write reads all of p, whatever ends in it. It always returns len(p) and nil.
func (n *Nesting) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[n.Read(rest):]
	}
	return len(p), nil
}

// Open reports whether an end is missing.
func (n *Nesting) Open() bool { return n.depth > 0 }

// structural are the bytes that JSON's nesting is told by.
var structural = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true}

// Truncated reports whether body is JSON that ends before its outermost object or array does.
// It looks at nothing else: JSON that is wrong otherwise is for its reader to judge, and what
// follows the end too.
func Truncated(body []byte) bool {
	body = Trim(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return false
	}
	var n Nesting
	n.Read(body)
	return n.Open()
}
