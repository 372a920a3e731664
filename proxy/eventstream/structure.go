package eventstream

import (
	"outrigger/policy/classify"
	"outrigger/proxy/usage"
)

// name notes a member's name; text is the last piece of it.
func (s *scanner) name(text []byte) {
	s.notEmpty(s.json.Depth())
	s.filled = s.filled || s.place == placeTop
	s.member = memberOther
	if s.place != placeOther {
		if s.token.n > 0 || s.token.over || len(text) > tokenMax {
			s.token.add(text)
			text = s.token.bytes()
		}
		s.member = memberOf(s.place, text)
		if s.member == memberCount {
			s.count = usage.FieldOf(text)
		}
	}
	s.token.reset()
}

// notEmpty notes that the container at hand, at depth, has a member or an element.
// Clients look for an error at the top, and not in a list.
func (s *scanner) notEmpty(depth int) {
	switch s.place {
	case placeError:
		s.failed = true
		s.plain = s.plain || depth == 2
	case placeContent, placeThought, placeExtra:
		s.saysPlace()
	}
}

// push enters an object or an array that begins at i.
func (s *scanner) push(object bool, i int) {
	depth := s.json.Depth() - 1 // of what it stands in
	s.notEmpty(depth)
	if s.place == placeChoices {
		s.nth++
	}
	if s.member == memberError && object {
		s.detail.begin(i, depth, s.place)
	}
	if depth < len(s.places) {
		s.places[depth] = s.place
	}
	s.place = placeOf(s.place, s.member, depth, object)
	s.member = memberOther
	switch s.place {
	case placeChoices:
		s.nth, s.listed = -1, true
	case placeChoice:
		s.index, s.ended, s.spoke = tokens{}, false, false
	}
}

// pop leaves an object or an array.
func (s *scanner) pop() {
	if s.place == placeChoice {
		s.choiceEnd()
	}
	depth := s.json.Depth()
	s.place, s.member = placeOther, memberOther
	if depth < len(s.places) {
		s.place = s.places[depth]
	}
	s.detail.ended = s.detail.on && s.detail.depth == depth
}

// element notes that a string, number or literal has ended.
func (s *scanner) element() int {
	depth := s.json.Depth()
	s.notEmpty(depth)
	if s.place == placeChoices {
		s.nth++
	}
	return depth
}

// textEnd notes a string that has ended.
func (s *scanner) textEnd() {
	depth := s.element()
	if s.member == memberOther {
		s.token.reset()
		return
	}
	switch s.member {
	case memberType:
		s.kind = s.token
	case memberKind:
		s.failed = s.failed || string(s.token.bytes()) == "error"
	case memberError:
		s.fail(s.place == placeTop && s.token.n > 0, depth == 1)
	case memberFinish:
		s.ended = s.ends()
	case memberStop:
		s.stopped = s.ends()
	case memberBlock:
		s.stopped = true
	case memberStatus:
		s.lost = s.lost || string(s.token.bytes()) == "failed"
	default:
		if s.token.n > 0 {
			s.says(s.member)
		}
	}
	s.token.reset()
}

// ends reads a reason to end, and tells whether it is one.
func (s *scanner) ends() bool {
	f := classify.Ended
	if !s.token.over {
		f = classify.FinishOf(s.token.bytes())
	}
	if f == classify.Aborted {
		s.aborted, s.why = true, s.token
	}
	return f != classify.Running
}

// scalarEnd notes a number or literal that has ended.
func (s *scanner) scalarEnd() {
	depth := s.element()
	if s.member == memberOther {
		s.token.reset()
		return
	}
	n, ok := s.token.count()
	switch s.member {
	case memberError:
		s.fail(s.place == placeTop && s.token.truthy(), depth == 1)
	case memberSequence:
		if ok {
			s.sequence = n + 1
		}
	case memberCount:
		s.usage.Set(s.count, s.token.bytes())
	case memberIndex:
		s.index = tokens{n, ok}
	default:
		if s.token.truthy() {
			s.says(s.member)
		}
	}
	s.token.reset()
}

// fail notes a failure, and whether it is plain.
func (s *scanner) fail(failed, plain bool) {
	s.failed = s.failed || failed
	s.plain = s.plain || failed && plain
}

// choiceEnd notes a choice that has ended. One without an index is known by its
// place among the others.
func (s *scanner) choiceEnd() {
	i := s.nth
	if s.index.seen {
		i = s.index.n
	}
	if i >= choicesMax {
		s.beyond = true
		return
	}
	s.seen.add(i)
	if s.ended {
		s.finished.add(i)
	}
	if s.spoke {
		s.spoken.add(i)
	}
}
