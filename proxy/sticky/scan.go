package sticky

import "outrigger/proxy/pick"

// member is one that the scanner found: a key with a string, or with a string in an
// array, or with true, false, null or a number, of which only the first byte is told.
type member struct {
	key     []byte
	value   []byte // nil for what is no string
	literal byte
	outer   []byte // the key at the top below which it stands
	depth   int    // 1 is the top
}

// scanner finds members in text that should be JSON. Make it with its visit set;
// it does not allocate once its buffers have grown. Not safe for concurrent use.
type scanner struct {
	// visit sees each member whose key wants says yes to. The slices are the scanner's.
	visit func(m member)
	wants func(key []byte) bool

	seal seal // reads what an upstream encrypted

	state lexical
	text  []byte // of the string that is being read, as far as it may matter
	odd   bool   // that string is escaped, or longer than an id
	after bool   // a string was read and may be a key

	key   []byte // the last key
	outer []byte // the key at the top whose object or array is open
	array int    // depth of the array that key's strings are in; 0 is none
	depth int    // open brackets
	skip  int    // depth of the object that is passed over; 0 is none
}

// lexical is what the scanner reads.
type lexical uint8

const (
	between  lexical = iota // keys, and what separates values
	valued                  // after a colon
	inString                // a key, or a string that is no member's
	inValue                 // a member's string
	escaped                 // after a backslash in a key
	escapedV                // and in a value
)

// Write reads the next bytes, in pieces of any size. It always returns len(p) and nil.
func (s *scanner) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		switch s.state {
		case inString, inValue:
			p = p[s.string(p):]
		case escaped, escapedV: // whatever follows, it is in the string
			s.seal.escape(p[0])
			s.state -= escaped - inString
			p = p[1:]
		default:
			s.step(p[0])
			p = p[1:]
		}
	}
	return n, nil
}

// string reads the plain text at the start of p and the byte that ends it, and
// returns how many bytes that were.
func (s *scanner) string(p []byte) int {
	n := pick.Plain(p)
	s.keep(p[:n])
	if n == len(p) {
		return n
	}
	switch p[n] {
	case '"':
		s.endString()
	case '\\':
		s.odd = true
		s.state += escaped - inString
	default: // a control character, which no string has: this was none
		s.state, s.after, s.seal.open = between, false, false
	}
	return n + 1
}

func (s *scanner) keep(p []byte) {
	if s.seal.open {
		s.seal.add(p)
		return
	}
	if s.odd {
		return
	}
	if len(s.text)+len(p) > longest {
		s.odd = true
		return
	}
	s.text = append(s.text, p...)
}

func (s *scanner) beginString(state lexical) {
	s.state, s.text, s.odd = state, s.text[:0], false
	if state == inValue && s.skip == 0 {
		s.seal.begin(s.key)
	}
}

func (s *scanner) endString() {
	value := s.state == inValue
	s.state, s.after = between, !value
	if s.seal.open {
		s.seal.end()
		return
	}
	if value && !s.odd && s.skip == 0 && s.wants(s.key) {
		s.visit(member{key: s.key, value: s.text, outer: s.outerKey(), depth: s.level()})
	}
}

// level is the depth of the member that is being read: that of its key.
func (s *scanner) level() int {
	if s.array > 0 && s.array == s.depth {
		return s.depth - 1
	}
	return s.depth
}

func (s *scanner) outerKey() []byte {
	if s.level() < 2 {
		return nil
	}
	return s.outer
}

// step reads one byte outside of a string.
func (s *scanner) step(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
	case '"':
		if s.state == valued || s.array > 0 && s.array == s.depth {
			s.beginString(inValue)
			return
		}
		s.beginString(inString)
	case ':':
		s.colon()
	case '{', '[':
		s.open(c)
	case '}', ']':
		s.close()
	case ',':
		s.state, s.after = between, false
	default:
		s.bare(c)
	}
}

// colon makes a key of the string before it.
func (s *scanner) colon() {
	if !s.after {
		return
	}
	s.key = s.key[:0]
	if !s.odd {
		s.key = append(s.key, s.text...)
	}
	s.state, s.after = valued, false
}

func (s *scanner) open(c byte) {
	member := s.state == valued
	s.depth++
	s.state, s.after = between, false
	if s.depth == 2 {
		s.outer = s.outer[:0]
		if member {
			s.outer = append(s.outer, s.key...)
		}
	}
	switch {
	case c == '[' && member:
		s.array = s.depth
	case c == '{' && member && s.skip == 0 && string(s.key) == "metadata":
		s.skip = s.depth // it is the user's, and may name anything
	}
}

func (s *scanner) close() {
	if s.array == s.depth {
		s.array = 0
	}
	if s.skip == s.depth {
		s.skip = 0
	}
	s.depth = max(s.depth-1, 0)
	s.state, s.after = between, false
}

// bare reads the first byte of a literal or a number, and passes over the rest.
func (s *scanner) bare(c byte) {
	if s.state == valued && s.skip == 0 && s.wants(s.key) {
		s.visit(member{key: s.key, literal: c, outer: s.outerKey(), depth: s.level()})
	}
	s.state, s.after = between, false
}
