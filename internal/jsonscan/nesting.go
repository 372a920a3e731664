package jsonscan

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
		if !structural[p[i]] {
			continue // embeddings are megabytes of digits
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
