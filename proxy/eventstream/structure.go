package eventstream

import "outrigger/policy/classify"

// structure reads one byte at i that stands outside of strings and scalars.
func (s *scanner) structure(c byte, i int) {
	if blank(c) {
		return
	}
	switch s.state {
	case wantValue:
		s.value(c, i)
	case wantElement:
		if c == ']' {
			s.pop(false)
			return
		}
		s.value(c, i)
	case wantMember:
		if c == '}' {
			s.pop(true)
			return
		}
		s.name(c)
	case wantName:
		s.name(c)
	case wantColon:
		s.expect(c == ':', wantValue)
	case wantNext:
		switch c {
		case ',':
			s.comma()
		case '}', ']':
			s.pop(c == '}')
		default:
			s.state = broken
		}
	default:
		s.state = broken
	}
}

func (s *scanner) expect(is bool, next state) {
	if !is {
		next = broken
	}
	s.state = next
}

// name begins a member's name.
func (s *scanner) name(c byte) {
	s.expect(c == '"', inName)
	s.token.reset()
	s.errorMember()
	s.saysPlace()
	s.filled = s.filled || s.place == placeTop
}

// errorMember notes that the error at hand is not empty. Clients look for it at the
// top, and not in a list.
func (s *scanner) errorMember() {
	if s.place == placeError {
		s.failed = true
		s.plain = s.plain || s.depth == 2
	}
}

func (s *scanner) comma() {
	if s.isObject(s.depth - 1) {
		s.state = wantName
		return
	}
	s.state = wantValue
	if s.place == placeChoices {
		s.nth++
	}
}

// value begins a value.
func (s *scanner) value(c byte, i int) {
	s.token.reset()
	s.errorMember()
	s.saysPlace()
	switch {
	case c == '"':
		s.state = inText
	case c == '{', c == '[':
		s.push(c == '{', i)
	case c == '-', c >= '0' && c <= '9', c == 't', c == 'f', c == 'n':
		s.state = inScalar
		s.token.add([]byte{c})
	default:
		s.state = broken
	}
}

// push enters an object or an array.
func (s *scanner) push(object bool, i int) {
	if s.depth == depthMax {
		s.state = broken
		return
	}
	if s.member == memberError && object {
		s.detail.begin(i, s.depth, s.place)
	}
	if s.depth < len(s.places) {
		s.places[s.depth] = s.place
	}
	s.place = placeOf(s.place, s.member, s.depth, object)
	s.member = memberOther
	switch s.place {
	case placeChoices:
		s.nth, s.listed = 0, true
	case placeChoice:
		s.index, s.ended, s.spoke = tokens{}, false, false
	}
	word, bit := s.depth/64, uint64(1)<<(s.depth%64)
	s.object[word] &^= bit
	s.state = wantElement
	if object {
		s.object[word] |= bit
		s.state = wantMember
	}
	s.depth++
}

// pop leaves an object or an array.
func (s *scanner) pop(object bool) {
	if s.isObject(s.depth-1) != object {
		s.state = broken
		return
	}
	if s.place == placeChoice {
		s.choiceEnd()
	}
	s.depth--
	s.place, s.member = placeOther, memberOther
	if s.depth < len(s.places) {
		s.place = s.places[s.depth]
	}
	s.detail.ended = s.detail.on && s.detail.depth == s.depth
	s.valueEnd()
}

func (s *scanner) valueEnd() {
	s.state = wantNext
	if s.depth == 0 {
		s.state = whole
	}
}

// isObject tells whether the open container at this depth is an object.
func (s *scanner) isObject(depth int) bool {
	return s.object[depth/64]>>(depth%64)&1 == 1
}

// textEnd notes a name or a string that has ended.
func (s *scanner) textEnd() {
	if s.state == inName {
		s.member = memberOther
		if s.place != placeOther {
			s.member = memberOf(s.place, s.token.bytes())
		}
		s.state = wantColon
		return
	}
	s.valueEnd()
	switch s.member {
	case memberType:
		s.kind = s.token
	case memberKind:
		s.failed = s.failed || string(s.token.bytes()) == "error"
	case memberError:
		s.fail(s.place == placeTop && s.token.n > 0, s.depth == 1)
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
	s.valueEnd()
	if s.member == memberOther {
		return
	}
	n, ok := s.token.count()
	switch s.member {
	case memberError:
		s.fail(s.place == placeTop && s.token.truthy(), s.depth == 1)
	case memberSequence:
		if ok {
			s.sequence = n + 1
		}
	case memberPrompt:
		s.prompt = tokens{n, ok}
	case memberCached:
		s.cached += n
	case memberCompletion:
		s.completion = tokens{n, ok}
	case memberIndex:
		s.index = tokens{n, ok}
	default:
		if s.token.truthy() {
			s.says(s.member)
		}
	}
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
