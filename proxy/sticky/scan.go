package sticky

import "outrigger/internal/jsonscan"

// member is one that the scanner found: a key with a string, or with a string in an
// array, or with true, false, null or a number, of which only the first byte is told.
type member struct {
	key     []byte
	value   []byte // nil for what is no string
	literal byte
	outer   []byte // the key at the top below which it stands
	depth   int    // 1 is the top
}

// scanner finds members in text that should be JSON. Make it with newScanner;
// it does not allocate once its buffers have grown. Not safe for concurrent use.
type scanner struct {
	// visit sees each member whose key wants says yes to. The slices are the scanner's.
	visit func(m member)
	wants func(key []byte) bool

	seal seal // reads what an upstream encrypted

	json   jsonscan.Scanner
	valued bool   // a colon was read last
	after  bool   // a string was read last, which may be a key
	begun  bool   // a piece of the string at hand was read
	value  bool   // that string is a member's
	text   []byte // of it, as far as it may matter
	odd    bool   // it is escaped, or longer than an id

	key   []byte // the last key
	outer []byte // the key at the top whose object or array is open
	array int    // depth of the array that key's strings are in; 0 is none
	skip  int    // depth of the object that is passed over; 0 is none
}

func newScanner(wants func(key []byte) bool, visit func(m member)) scanner {
	return scanner{wants: wants, visit: visit, json: jsonscan.New(jsonscan.Search)}
}

// Write reads the next bytes, in pieces of any size. It always returns len(p) and nil.
func (s *scanner) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		token, text, n := s.json.Next(rest)
		rest = rest[n:]
		switch token {
		case jsonscan.TextPart, jsonscan.Text:
			s.string(token, text)
		case jsonscan.Colon:
			s.colon()
		case jsonscan.BeginObject, jsonscan.BeginArray:
			s.open(token == jsonscan.BeginArray)
		case jsonscan.EndObject, jsonscan.EndArray:
			s.close()
		case jsonscan.Scalar:
			s.bare(text[0])
		case jsonscan.Comma:
			s.valued, s.after = false, false
		case jsonscan.NoText:
			s.begun, s.valued, s.after, s.seal.open = false, false, false, false
		}
	}
	return len(p), nil
}

// string reads a piece of a string.
func (s *scanner) string(token jsonscan.Token, text []byte) {
	if !s.begun {
		s.begun = true
		s.value = s.valued || s.array > 0 && s.array == s.json.Depth()
		s.text, s.odd = s.text[:0], false
		if s.value && s.skip == 0 {
			s.seal.begin(s.key)
		}
	}
	switch {
	case s.seal.open:
		s.seal.add(text)
	case s.odd:
	case len(s.text)+len(text) > longest, s.json.Escaped():
		s.odd = true
	default:
		s.text = append(s.text, text...)
	}
	if token == jsonscan.Text {
		s.endString()
	}
}

func (s *scanner) endString() {
	s.begun, s.valued, s.after = false, false, !s.value
	if s.seal.open {
		s.seal.end()
		return
	}
	if s.value && !s.odd && s.skip == 0 && s.wants(s.key) {
		s.visit(member{key: s.key, value: s.text, outer: s.outerKey(), depth: s.level()})
	}
}

// level is the depth of the member that is being read: that of its key.
func (s *scanner) level() int {
	if depth := s.json.Depth(); s.array == 0 || s.array != depth {
		return depth
	}
	return s.array - 1
}

func (s *scanner) outerKey() []byte {
	if s.level() < 2 {
		return nil
	}
	return s.outer
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
	s.valued, s.after = true, false
}

func (s *scanner) open(array bool) {
	depth := s.json.Depth()
	if depth == 2 {
		s.outer = s.outer[:0]
		if s.valued {
			s.outer = append(s.outer, s.key...)
		}
	}
	switch {
	case array && s.valued:
		s.array = depth
	case !array && s.valued && s.skip == 0 && string(s.key) == "metadata":
		s.skip = depth // it is the user's, and may name anything
	}
	s.valued, s.after = false, false
}

func (s *scanner) close() {
	s.valued, s.after = false, false
	// The scanner's depth no longer counts what was closed.
	closed := s.json.Depth() + 1
	if s.array == closed {
		s.array = 0
	}
	if s.skip == closed {
		s.skip = 0
	}
}

// bare reads the first byte of a literal or a number.
func (s *scanner) bare(c byte) {
	if s.valued && s.skip == 0 && s.wants(s.key) {
		s.visit(member{key: s.key, literal: c, outer: s.outerKey(), depth: s.level()})
	}
	s.valued, s.after = false, false
}
