package jsonscan

// MaxDepth is how many objects and arrays may be open at once. The deepest bodies, those
// with JSON schemas in their tools, have some twenty; encoding/json allows 10,000.
const MaxDepth = 512

// Mode is how much a Scanner checks.
type Mode uint8

const (
	// Loose checks what it needs to keep its place: brackets, colons and commas. Strings
	// may hold control characters and any escape; a number or literal is whatever
	// begins like one.
	Loose Mode = iota
	// Strict checks all of RFC 8259 but whether text is UTF-8.
	Strict
	// Search checks nothing and never breaks: it finds strings, brackets, colons and commas
	// in text that may be JSON, such as the lines of an event stream. A control character
	// ends a string, which then was none. All strings are Text; names are those before a Colon.
	Search
)

// Token is what a Scanner read.
type Token uint8

const (
	// More says that all that was given is read.
	More Token = iota
	// BeginObject is a {. Depth counts the new object.
	BeginObject
	// BeginArray is a [. Depth counts the new array.
	BeginArray
	// EndObject is a }. Depth no longer counts the object.
	EndObject
	// EndArray is a ]. Depth no longer counts the array.
	EndArray
	// Name is a member's name, or the last piece of one.
	Name
	// NamePart is a piece of a name that goes on. It may be empty.
	NamePart
	// Text is a string that is a value, or the last piece of one.
	Text
	// TextPart is a piece of a string that goes on. It may be empty.
	TextPart
	// Scalar is a number, true, false or null, or the last piece of one. The piece may be empty.
	Scalar
	// ScalarPart is a piece of one that may go on.
	ScalarPart
	// Colon and Comma are returned by Search alone.
	Colon
	// Comma separates values, see Colon.
	Comma
	// NoText is what began like a string and was none; Search alone returns it.
	NoText
	// Broken says that this is no JSON. All later calls return it too.
	Broken
)

// State is what a Scanner expects next.
type State uint8

const (
	// Start is before the first byte; white space may have been read.
	Start State = iota
	// WantValue is after a colon or an array's comma.
	WantValue
	// WantElement is after a [: a value or ] is next.
	WantElement
	// WantMember is after a {: a name or } is next.
	WantMember
	// WantName is after an object's comma.
	WantName
	// WantColon is after a name.
	WantColon
	// WantNext is after a value: a comma or the container's end is next.
	WantNext
	// InName is inside a name.
	InName
	// InText is inside a string.
	InText
	// InScalar is inside a number or literal.
	InScalar
	// Whole is after the end of the outermost value.
	Whole
	// NoJSON is after a mistake.
	NoJSON

	inMark2 // in a byte order mark, Strict alone
	inMark3
	wantTop // after it, or after white space
)

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
	c := p[i]
	switch {
	case c == '"':
		s.state = InText
		return s.text(p, i+1)
	case c == '{', c == '[':
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
