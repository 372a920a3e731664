package eventstream

import "bytes"

// state is what a scanner expects next.
type state uint8

const (
	wantValue   state = iota // the data's start, after a colon, after an array's comma
	wantElement              // after [: a value or ]
	wantMember               // after {: a name or }
	wantName                 // after an object's comma
	wantColon
	wantNext // after a value: a comma or the container's end
	inName
	inText
	inScalar // a number or literal
	whole    // the outermost value has ended
	broken   // not JSON
)

// scanner reads one event's data as JSON in any split and notes the facts. It
// checks no more than it needs to keep its place: JSON that is broken elsewhere
// may pass. The zero value is ready for an event.
type scanner struct {
	facts
	state  state
	place  place
	member member // what the value at hand is, in an object whose place matters
	escape bool   // the last byte read was a backslash that escapes the next one
	index  tokens // of the choice at hand
	ended  bool   // the choice at hand has a finish_reason
	spoke  bool   // and content, or a thought
	nth    int64  // choices before this one in its array
	depth  int
	token  token
	why    token                 // the reason that names a failure, if the event has one
	places [8]place              // of the outermost containers, by depth; deeper ones do not matter
	object [depthMax / 64]uint64 // one bit for each open container: is it an object
	detail detail
}

// reset makes s ready for the next event.
func (s *scanner) reset() {
	s.facts = facts{}
	s.state, s.place, s.member, s.depth = wantValue, placeOther, memberOther, 0
	s.escape = false
	s.token.reset()
	s.detail.reset()
}

// write reads the next part of the data.
func (s *scanner) write(p []byte) {
	s.detail.from = 0
	for i := 0; i < len(p); {
		switch s.state {
		case inName, inText:
			i = s.text(p, i)
		case inScalar:
			i = s.scalar(p, i)
		case broken:
			return
		default:
			i++
			s.structure(p[i-1], i-1)
			if s.detail.ended {
				s.detail.add(p[:i])
			}
		}
	}
	s.detail.add(p)
}

// text reads a string up to its closing quote, or to the end of p. A quote counts
// unless an odd number of backslashes stands before it.
func (s *scanner) text(p []byte, i int) int {
	for from := i; ; {
		quote := bytes.IndexByte(p[from:], '"')
		if quote < 0 {
			s.take(p[i:])
			s.escape = oddBackslashes(p[i:], s.escape)
			return len(p)
		}
		quote += from
		if !oddBackslashes(p[i:quote], s.escape) {
			s.take(p[i:quote])
			s.escape = false
			s.textEnd()
			return quote + 1
		}
		from = quote + 1
	}
}

// oddBackslashes tells whether b ends in an odd number of backslashes, where
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

// take keeps the beginning of a string that matters.
func (s *scanner) take(b []byte) {
	if s.place != placeOther && (s.state == inName || s.member != memberOther) {
		s.token.add(b)
	}
}

// scalar reads a number or literal up to the byte that ends it.
func (s *scanner) scalar(p []byte, i int) int {
	end := i
	for end < len(p) && !delimits(p[end]) {
		end++
	}
	s.token.add(p[i:end])
	if end < len(p) {
		s.scalarEnd()
	}
	return end
}

func delimits(c byte) bool {
	return c == ',' || c == '}' || c == ']' || blank(c)
}

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r'
}
