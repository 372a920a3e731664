package jsonscan

// number is what was read last of a number, in Strict mode.
type number uint8

const (
	noNumber number = iota // it is a literal
	afterMinus
	afterZero
	afterInteger
	afterPoint
	afterFraction
	afterE
	afterSign
	afterExponent
)

// beginScalar reads a number or literal that begins at i.
func (s *Scanner) beginScalar(p []byte, i int) (Token, []byte, int) {
	c := p[i]
	s.number, s.literal = noNumber, ""
	switch {
	case c == '-':
		s.number = afterMinus
	case c == '0':
		s.number = afterZero
	case isDigit(c):
		s.number = afterInteger
	case c == 't':
		s.literal = "rue"
	case c == 'f':
		s.literal = "alse" //nolint:misspell // false, without its first letter
	case c == 'n':
		s.literal = "ull"
	default:
		return s.stop(i)
	}
	s.state = InScalar
	return s.scalarFrom(p, i, i+1)
}

// scalar reads one that goes on at the start of p.
func (s *Scanner) scalar(p []byte) (Token, []byte, int) { return s.scalarFrom(p, 0, 0) }

// scalarFrom reads on at i a number or literal of which p[from:i] has been read.
func (s *Scanner) scalarFrom(p []byte, from, i int) (Token, []byte, int) {
	if s.mode == Strict {
		if s.number == noNumber {
			return s.strictLiteral(p, from, i)
		}
		return s.strictNumber(p, from, i)
	}
	for i < len(p) && !delimits(p[i]) {
		i++
	}
	if i == len(p) {
		return ScalarPart, p[from:], i
	}
	s.valueEnd()
	return Scalar, p[from:i], i
}

// strictLiteral reads true, false or null. It ends with its last letter.
func (s *Scanner) strictLiteral(p []byte, from, i int) (Token, []byte, int) {
	for ; i < len(p); i++ {
		if p[i] != s.literal[0] {
			s.state = NoJSON
			return ScalarPart, p[from:i], i + 1
		}
		if s.literal = s.literal[1:]; s.literal == "" {
			s.valueEnd()
			return Scalar, p[from : i+1], i + 1
		}
	}
	return ScalarPart, p[from:], i
}

// strictNumber reads a number. It ends before the first byte that is not its own.
func (s *Scanner) strictNumber(p []byte, from, i int) (Token, []byte, int) {
	for ; i < len(p); i++ {
		c := p[i]
		if s.number == afterInteger && isDigit(c) {
			continue // token arrays are made of them
		}
		next, ok := s.number.next(c)
		switch {
		case ok:
			s.number = next
		case s.number.whole():
			s.valueEnd()
			return Scalar, p[from:i], i
		default:
			s.state = NoJSON
			return ScalarPart, p[from:i], i + 1
		}
	}
	return ScalarPart, p[from:], i
}

// next returns what follows n with c, and whether c may follow.
func (n number) next(c byte) (number, bool) {
	digit := isDigit(c)
	switch n {
	case afterMinus:
		if c == '0' {
			return afterZero, true
		}
		return afterInteger, digit
	case afterZero, afterInteger, afterFraction:
		switch {
		case digit:
			return n, n != afterZero
		case c == '.':
			return afterPoint, n != afterFraction
		default:
			return afterE, c|0x20 == 'e'
		}
	case afterPoint:
		return afterFraction, digit
	case afterE:
		if c == '+' || c == '-' {
			return afterSign, true
		}
		return afterExponent, digit
	default:
		return afterExponent, digit
	}
}

// whole reports whether a number may end.
func (n number) whole() bool {
	return n == afterZero || n == afterInteger || n == afterFraction || n == afterExponent
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// delimits reports whether c ends a number or literal.
func delimits(c byte) bool {
	return c == ',' || c == '}' || c == ']' || blank(c)
}
