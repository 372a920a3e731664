package eventstream

import (
	"outrigger/internal/jsonscan"
	"outrigger/proxy/usage"
)

// scanner reads one event's data as JSON in any split and notes the facts. It
// checks no more than it needs to keep its place: JSON that is broken elsewhere
// may pass. The zero value is ready for an event.
type scanner struct {
	facts
	json   jsonscan.Scanner
	place  place
	member member // what the value at hand is, in an object whose place matters
	count  usage.Field
	index  tokens // of the choice at hand
	ended  bool   // the choice at hand has a finish_reason
	spoke  bool   // and content, or a thought
	nth    int64  // the place of the choice at hand in its array, from 0
	token  token
	why    token    // the reason that names a failure, if the event has one
	places [8]place // of the outermost containers, by depth; deeper ones do not matter
	detail detail
}

// reset makes s ready for the next event.
func (s *scanner) reset() {
	s.facts = facts{}
	s.json.Reset()
	s.place, s.member = placeOther, memberOther
	s.token.reset()
	s.detail.reset()
}

// whole reports whether the data is one JSON value, read to its end.
func (s *scanner) whole() bool { return s.json.State() == jsonscan.Whole }

// write reads the next part of the data.
func (s *scanner) write(p []byte) {
	s.detail.from = 0
	for i := 0; i < len(p); {
		token, text, n := s.json.Next(p[i:])
		i += n
		switch token {
		case jsonscan.Name:
			s.name(text)
		case jsonscan.Text, jsonscan.TextPart:
			if s.member != memberOther && s.place != placeOther {
				s.token.add(text)
			}
			if token == jsonscan.Text {
				s.textEnd()
			}
		case jsonscan.Scalar:
			s.token.add(text)
			s.scalarEnd()
		case jsonscan.BeginObject, jsonscan.BeginArray:
			s.push(token == jsonscan.BeginObject, i-1)
		case jsonscan.EndObject, jsonscan.EndArray:
			s.pop()
			if s.detail.ended {
				s.detail.add(p[:i])
			}
		case jsonscan.NamePart, jsonscan.ScalarPart:
			s.token.add(text)
		case jsonscan.Broken:
			return
		}
	}
	s.detail.add(p)
}
