package httpfield

import "strings"

// part is one step of a list's member: a bare value (key is ""), or a key and its value.
type part struct {
	key, value string
	quoted     bool // a bare value that is a string or a byte sequence
}

// Bounds of what is read of one line.
const (
	maxLine    = 4 << 10
	maxMembers = 16
	maxParts   = 16
)

// parseList reads one line of a List of Structured Fields (RFC 9651, section 3.1), or of a Dictionary as far as its
// members have values. It is laxer in two things that servers send: a bare value may follow a semicolon, as in
// Hugging Face's "fixed window";"api";q=500 (huggingface/huggingface_hub#3553), and numbers may have any form. What
// else is malformed makes the whole line nothing.
func parseList(line string) ([][]part, bool) {
	s := scanner{rest: line}
	if len(line) > maxLine {
		return nil, false
	}
	var list [][]part
	for {
		var member []part
		for {
			p, ok := s.part()
			if !ok || len(member) == maxParts {
				return nil, false
			}
			member = append(member, p)
			if !s.accept(';') {
				break
			}
		}
		if len(list) == maxMembers {
			return nil, false
		}
		list = append(list, member)
		if s.skip(); s.rest == "" {
			return list, true
		}
		if !s.accept(',') {
			return nil, false
		}
	}
}

// scanner is what of a line is still to be read.
type scanner struct{ rest string }

func (s *scanner) skip() { s.rest = strings.TrimLeft(s.rest, " \t") }

// accept skips white space and then c, and reports whether it was there.
func (s *scanner) accept(c byte) bool {
	s.skip()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// part reads a bare value, or a key with or without a value.
func (s *scanner) part() (part, bool) {
	s.skip()
	text, quoted, ok := s.value()
	if !ok || quoted || s.rest == "" || s.rest[0] != '=' {
		return part{value: text, quoted: quoted}, ok
	}
	s.rest = s.rest[1:]
	value, _, ok := s.value()
	return part{key: strings.ToLower(text), value: value}, ok
}

// value reads a string, a byte sequence, a token or a number. The second result says that it cannot be a key.
func (s *scanner) value() (string, bool, bool) {
	switch {
	case s.rest == "":
		return "", false, false
	case s.rest[0] == '"':
		text, ok := s.quoted()
		return text, true, ok
	case s.rest[0] == ':':
		text, rest, ok := strings.Cut(s.rest[1:], ":")
		s.rest = rest
		return text, true, ok
	}
	end := strings.IndexFunc(s.rest, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`",;=()[]{}\<>`, c) })
	if end < 0 {
		end = len(s.rest)
	}
	text := s.rest[:end]
	s.rest = s.rest[end:]
	return text, false, text != ""
}

// quoted reads a string (RFC 9651, section 4.2.5).
func (s *scanner) quoted() (string, bool) {
	var text strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return text.String(), true
		case c < ' ' || c > '~':
			return "", false
		case c == '\\':
			i++
			if i == len(s.rest) || s.rest[i] != '"' && s.rest[i] != '\\' {
				return "", false
			}
			text.WriteByte(s.rest[i])
		default:
			text.WriteByte(c)
		}
	}
	return "", false
}
