package pick

import "strconv"

// beginNumber reads the first byte of a number, or of nothing that JSON has.
func (o *object) beginNumber(c byte) {
	switch {
	case c == '-':
		o.state = inMinus
	case c == '0':
		o.state = inZero
	case c >= '1' && c <= '9':
		o.state = inInteger
	default:
		o.state = broken
		return
	}
	o.word.begin()
	o.word.addByte(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// integer reads the digits at the start of p and returns how many there are: token
// arrays are made of them.
func (o *object) integer(p []byte) int {
	n := 1
	for n < len(p) && isDigit(p[n]) {
		n++
	}
	o.word.add(p[:n])
	return n
}

// numeral reads a byte in or after a number and reports whether it was in it. If
// not, the number was complete, or the body is broken.
func (o *object) numeral(c byte) bool {
	next := broken
	digit := isDigit(c)
	switch o.state {
	case inMinus:
		if c == '0' {
			next = inZero
		} else if digit {
			next = inInteger
		}
	case inZero, inInteger, inFraction:
		switch {
		case digit && o.state != inZero:
			next = o.state
		case c == '.' && o.state != inFraction:
			next = inPoint
		case c|0x20 == 'e':
			next = inE
		}
	case inPoint:
		if digit {
			next = inFraction
		}
	case inE, inSign, inExponent:
		if digit {
			next = inExponent
		} else if o.state == inE && (c == '+' || c == '-') {
			next = inSign
		}
	}
	if next != broken {
		o.state = next
		o.word.addByte(c)
		return true
	}
	switch o.state {
	case inZero, inInteger, inFraction, inExponent:
		o.state = afterValue
		o.gotNumber(o.depth)
	default:
		o.state = broken
	}
	return false
}

// letter reads the next byte of true, false or null.
func (o *object) letter(c byte) {
	if c != o.literal[o.at] {
		o.state = broken
		return
	}
	o.at++
	if o.at == len(o.literal) {
		o.state = afterValue
		o.gotLiteral(o.literal == "true", o.depth)
	}
}

// within returns the number that w stands for if it is whole and from 1 to most,
// else 0. Some callers write 1e3 or 1000.0.
func within(w *word, most int) int {
	x, err := strconv.ParseFloat(string(w.bytes()), 64)
	if w.long || err != nil || x < 1 || x > float64(most) || x != float64(int(x)) {
		return 0
	}
	return int(x)
}

// word keeps the first 24 bytes of a short word: a key, a number, a type. No key or
// type that matters is as long.
type word struct {
	text [24]byte
	n    int
	long bool
}

func (w *word) begin() { w.n, w.long = 0, false }

func (w *word) add(p []byte) {
	n := copy(w.text[w.n:], p)
	w.n += n
	w.long = w.long || n < len(p)
}

func (w *word) addByte(c byte) {
	if w.n == len(w.text) {
		w.long = true
		return
	}
	w.text[w.n] = c
	w.n++
}

// bytes returns the word, or its beginning.
func (w *word) bytes() []byte { return w.text[:w.n] }
