package jsonscan

// search reads the next token of text that may be JSON.
func (s *Scanner) search(p []byte) (Token, []byte, int) {
	for i, c := range p {
		switch c {
		case ' ', '\t', '\r', '\n':
		case '"':
			s.state = InText
			return s.text(p, i+1)
		case ':':
			return Colon, nil, i + 1
		case ',':
			return Comma, nil, i + 1
		case '{':
			s.depth++
			return BeginObject, nil, i + 1
		case '[':
			s.depth++
			return BeginArray, nil, i + 1
		case '}':
			s.depth = max(s.depth-1, 0)
			return EndObject, nil, i + 1
		case ']':
			s.depth = max(s.depth-1, 0)
			return EndArray, nil, i + 1
		default:
			return s.word(p, i)
		}
	}
	return More, nil, len(p)
}

// word reads what is no string and no punctuation. One that is cut in two comes as two.
func (s *Scanner) word(p []byte, from int) (Token, []byte, int) {
	i := from + 1
	for i < len(p) && !parts[p[i]] {
		i++
	}
	return Scalar, p[from:i], i
}

// parts are the bytes that end a word.
var parts = [256]bool{
	' ': true, '\t': true, '\r': true, '\n': true,
	'"': true, ':': true, ',': true, '{': true, '}': true, '[': true, ']': true,
}
