package jsonscan

// MaxDepth is how many objects and arrays may be open at once. The deepest bodies, those
// with JSON schemas in their tools, have some twenty; encoding/json allows 10,000.
const MaxDepth = 512

// Scanner reads one JSON value that arrives in pieces. The zero value is Loose and ready.
// It is for one goroutine.
type Scanner struct {
	mode    Mode
	state   State
	escape  uint8  // in the string at hand, see escapes
	escaped bool   // the string at hand has a backslash
	number  number // Strict: what was read last of the number at hand
	literal string // Strict: what is left of true, false or null
	depth   int
	object  [MaxDepth / 64]uint64 // a bit for each open container: is it an object
}

// New returns a Scanner for JSON that is read in mode.
func New(mode Mode) Scanner { return Scanner{mode: mode} }

// Reset makes s ready for another value in the same mode.
func (s *Scanner) Reset() {
	s.state, s.escape, s.escaped, s.depth = Start, 0, false, 0
}

// State returns what s expects next.
func (s *Scanner) State() State { return s.state }

// Depth returns how many objects and arrays are open.
func (s *Scanner) Depth() int { return s.depth }

// IsObject reports whether the container at depth is an object; 1 is the outermost. In
// Search mode it has no meaning.
func (s *Scanner) IsObject(depth int) bool {
	return s.object[(depth-1)/64]>>((depth-1)%64)&1 == 1
}

// Escaped reports whether the string whose last piece was returned has a backslash, or,
// inside a string, whether one was seen up to now. Loose does not look.
func (s *Scanner) Escaped() bool { return s.escaped }

// InEscape reports whether what was read ends in a backslash that escapes the next byte.
func (s *Scanner) InEscape() bool { return s.escape == behindSlash }

// Next reads the next token from p, which follows what earlier calls have read. It
// returns the token, its text (a slice of p, raw: without quotes, escapes as they are;
// nil for what has no text) and how many bytes of p it read: none only for a Scalar that
// ended with the piece before. Call it again with the rest of p, until that is empty, and
// then with the next piece.
func (s *Scanner) Next(p []byte) (Token, []byte, int) {
	switch s.state {
	case InName, InText:
		return s.text(p, 0)
	case InScalar:
		return s.scalar(p)
	case NoJSON:
		return Broken, nil, len(p)
	case Start, inMark2, inMark3:
		if s.mode == Strict {
			return s.start(p)
		}
	}
	if s.mode == Search {
		return s.search(p)
	}
	for i, c := range p {
		if blank(c) {
			continue
		}
		switch s.state {
		case WantColon:
			if c != ':' {
				return s.stop(i)
			}
			s.state = WantValue
		case WantNext:
			if c != ',' {
				return s.end(c, i)
			}
			s.state = WantValue
			if s.IsObject(s.depth) {
				s.state = WantName
			}
		case WantMember, WantName:
			if c == '"' {
				s.state = InName
				return s.text(p, i+1)
			}
			if s.state == WantName {
				return s.stop(i)
			}
			return s.end(c, i)
		case WantElement:
			if c == ']' {
				return s.end(c, i)
			}
			return s.value(p, i)
		case WantValue, Start, wantTop:
			return s.value(p, i)
		default:
			return s.stop(i)
		}
	}
	return More, nil, len(p)
}

// stop finds the mistake at i.
func (s *Scanner) stop(i int) (Token, []byte, int) {
	s.state = NoJSON
	return Broken, nil, i + 1
}

// start reads a byte order mark and white space before a strict value.
func (s *Scanner) start(p []byte) (Token, []byte, int) {
	for i, c := range p {
		switch {
		case s.state == Start && c == 0xEF:
			s.state = inMark2
		case s.state == inMark2 && c == 0xBB:
			s.state = inMark3
		case s.state == inMark3 && c == 0xBF:
			s.state = wantTop
			return More, nil, i + 1
		case s.state == Start && blank(c):
			s.state = wantTop
			return More, nil, i + 1
		case s.state == Start:
			return s.value(p, i)
		default:
			return s.stop(i)
		}
	}
	return More, nil, len(p)
}

// value begins the value at i.
func (s *Scanner) value(p []byte, i int) (Token, []byte, int) {
	switch c := p[i]; c {
	case '"':
		s.state = InText
		return s.text(p, i+1)
	case '{', '[':
		return s.begin(c == '{', i)
	default:
		return s.beginScalar(p, i)
	}
}

// begin enters an object or an array.
func (s *Scanner) begin(object bool, i int) (Token, []byte, int) {
	if s.depth == MaxDepth {
		return s.stop(i)
	}
	word, bit := s.depth/64, uint64(1)<<(s.depth%64)
	s.depth++
	if object {
		s.object[word] |= bit
		s.state = WantMember
		return BeginObject, nil, i + 1
	}
	s.object[word] &^= bit
	s.state = WantElement
	return BeginArray, nil, i + 1
}

// end leaves an object or an array, if c ends the one that is open.
func (s *Scanner) end(c byte, i int) (Token, []byte, int) {
	object := s.IsObject(s.depth)
	switch {
	case c == '}' && object:
		s.depth--
		s.valueEnd()
		return EndObject, nil, i + 1
	case c == ']' && !object:
		s.depth--
		s.valueEnd()
		return EndArray, nil, i + 1
	default:
		return s.stop(i)
	}
}

// valueEnd notes that a value has ended.
func (s *Scanner) valueEnd() {
	s.state = WantNext
	if s.depth == 0 {
		s.state = Whole
	}
}

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r'
}
