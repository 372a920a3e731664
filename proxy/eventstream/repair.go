package eventstream

import (
	"slices"
	"strings"
	"unicode/utf8"

	"outrigger/internal/jsonscan"
)

// repair returns what turns the half event at hand into a whole one that has the
// members of the object in data, or false if the half event is no JSON object, or
// broken already.
func (w *Watcher) repair(data []byte) ([]byte, bool) {
	s := &w.scan
	if s.json.State() == jsonscan.NoJSON || s.json.Depth() == 0 || !s.json.IsObject(1) {
		return nil, false
	}
	rest, comma, ok := s.rest(w.tail[:w.tailN])
	if !ok {
		return nil, false
	}
	var b []byte
	if w.line.part != inData {
		// The cut is in another line, or between two: the rest goes to a line of its own.
		switch state := s.json.State(); {
		case state == jsonscan.InText, state == jsonscan.InName, state == jsonscan.InScalar && rest != "":
			return nil, false
		}
		b = append(append(b, w.lineBreak()...), "data: "...)
	}
	b = append(b, rest...)
	for depth := s.json.Depth(); depth > 1; depth-- {
		if s.json.IsObject(depth) {
			b = append(b, '}')
			continue
		}
		b = append(b, ']')
	}
	if comma {
		b = append(b, ',')
	}
	b = append(append(b, data[1:]...), '\n')
	if named(w.dialect) {
		b = append(b, "event: error\n"...)
	}
	return append(b, '\n'), true
}

// rest returns what ends the value or member at hand, given the stream's last bytes;
// whether a comma must follow before another member of the outermost object; and
// whether there is such an end.
func (s *scanner) rest(tail []byte) (string, bool, bool) {
	outermost := s.json.Depth() == 1
	switch state := s.json.State(); state {
	case jsonscan.InText:
		return restOfText(tail, s.json.InEscape()) + `"`, true, true
	case jsonscan.InName:
		return restOfText(tail, s.json.InEscape()) + `":null`, true, true
	case jsonscan.WantColon:
		return ":null", true, true
	case jsonscan.WantValue:
		return "null", true, true
	case jsonscan.WantName:
		if outermost {
			return "", false, true
		}
		return `"":null`, true, true
	case jsonscan.WantMember, jsonscan.WantElement:
		return "", !outermost, true
	case jsonscan.InScalar:
		rest, ok := s.restOfScalar(tail[len(tail)-1])
		return rest, true, ok
	default:
		return "", true, state == jsonscan.WantNext
	}
}

// restOfText returns what makes a string end in a whole character and escape.
func restOfText(tail []byte, escape bool) string {
	if escape {
		return "n"
	}
	for n := 2; n <= min(5, len(tail)); n++ {
		// A backslash that is itself escaped makes this plain text: then the zeros
		// are plain text too.
		if from := tail[len(tail)-n:]; from[0] == '\\' && from[1] == 'u' && hexadecimal(from[2:]) {
			return "0000"[n-2:]
		}
	}
	return restOfRune(tail)
}

func hexadecimal(b []byte) bool {
	for _, c := range b {
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}

// restOfRune returns the bytes that complete a UTF-8 sequence at the end of tail:
// openai-python decodes each line strictly and raises UnicodeDecodeError otherwise.
func restOfRune(tail []byte) string {
	for n := 1; n < utf8.UTFMax && n <= len(tail); n++ {
		if start := tail[len(tail)-n:]; utf8.RuneStart(start[0]) {
			return completeRune(string(start))[n:]
		}
	}
	return ""
}

// completeRune appends continuation bytes until start is a rune. Which second byte
// is allowed depends on the first one: of these three one always is.
func completeRune(start string) string {
	for !utf8.FullRuneInString(start) {
		next := slices.IndexFunc(continuations, func(c string) bool { return plausible(start + c) })
		start += continuations[max(0, next)]
	}
	return start
}

var continuations = []string{"\x80", "\x90", "\xA0"}

// plausible tells whether s begins a rune, or is one.
func plausible(s string) bool {
	return !utf8.FullRuneInString(s) || utf8.ValidString(s)
}

// restOfScalar returns what makes a number or literal whole that ends in last, or
// false if it is neither.
func (s *scanner) restOfScalar(last byte) (string, bool) {
	text := string(s.token.text[:s.token.n])
	for _, literal := range []string{"true", "false", "null"} {
		if rest, ok := strings.CutPrefix(literal, text); ok {
			return rest, true
		}
	}
	switch last {
	case '-', '+', '.', 'e', 'E':
		return "0", true
	default:
		return "", text[0] == '-' || text[0] >= '0' && text[0] <= '9'
	}
}
