package pick

// maxDepth is how deep objects and arrays may nest. JSON schemas in tools, the
// deepest bodies there are, nest some twenty levels.
const maxDepth = 512

// state is what the tokenizer expects next.
type state uint8

const (
	atStart    state = iota // byte order mark, white space, then {
	atMark2                 // second byte of the byte order mark
	atMark3                 // third byte of it
	afterMark               // white space, then {
	atFirstKey              // key or }
	atKey                   // key
	atColon
	atFirstElement // value or ]
	atValue
	afterValue // comma or closing bracket
	inString
	inEscape // after a backslash
	inHex    // in the digits of \uXXXX
	inLiteral
	inMinus // numbers: what was read last
	inZero
	inInteger
	inPoint
	inFraction
	inE
	inSign
	inExponent
	atEnd // white space
	broken
)

// object reads one JSON object. The zero value is ready.
type object struct {
	picks
	state   state
	depth   int                     // open containers
	objects [maxDepth/64 + 1]uint64 // bit set: the container at that depth is an object
	offset  int64                   // of the byte that is being read

	role    role   // of the string that is being read
	hex     rune   // the digits of \uXXXX so far
	digits  int    // how many
	high    rune   // a high surrogate that waits for its other half
	literal string // true, false or null
	at      int    // its next byte
}

// write reads p, the next bytes of the body.
func (o *object) write(p []byte) {
	for len(p) > 0 {
		if o.state == inString {
			n := o.text(p)
			p = p[n:]
			o.offset += int64(n)
			continue
		}
		if o.state == broken {
			return
		}
		n := 1
		if o.state == inInteger && isDigit(p[0]) {
			n = o.integer(p)
		} else {
			o.step(p[0])
		}
		p = p[n:]
		o.offset += int64(n)
	}
}

// step reads one byte outside of the plain text of a string.
func (o *object) step(c byte) {
	if o.state >= inMinus && o.state <= inExponent {
		if o.numeral(c) {
			return
		}
	}
	switch o.state {
	case inEscape:
		o.escape(c)
		return
	case inHex:
		o.hexDigit(c)
		return
	case inLiteral:
		o.letter(c)
		return
	case atMark2, atMark3:
		o.mark(c)
		return
	}
	if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
		if o.state == atStart {
			o.state = afterMark
		}
		return
	}
	o.structure(c)
}

// structure reads one byte of those that are neither white space nor in a token.
func (o *object) structure(c byte) {
	switch o.state {
	case atStart, afterMark:
		switch {
		case c == '{':
			o.open(true)
		case c == 0xEF && o.state == atStart:
			o.state = atMark2
		default:
			o.state = broken
		}
	case atFirstKey, atKey:
		switch {
		case c == '"':
			o.beginString(roleKey)
		case c == '}' && o.state == atFirstKey:
			o.close(true)
		default:
			o.state = broken
		}
	case atColon:
		o.state = atValue
		if c != ':' {
			o.state = broken
		}
	case atFirstElement, atValue:
		if c == ']' && o.state == atFirstElement {
			o.close(false)
			return
		}
		o.value(c)
	case afterValue:
		o.after(c)
	default:
		o.state = broken
	}
}

// mark reads the rest of a byte order mark, EF BB BF.
func (o *object) mark(c byte) {
	switch {
	case o.state == atMark2 && c == 0xBB:
		o.state = atMark3
	case o.state == atMark3 && c == 0xBF:
		o.state = afterMark
	default:
		o.state = broken
	}
}

// value reads the first byte of a value.
func (o *object) value(c byte) {
	o.beginValue(c, o.depth)
	switch c {
	case '"':
		o.beginString(o.roleOf(o.depth))
	case '{':
		o.open(true)
	case '[':
		o.open(false)
	case 't':
		o.state, o.literal, o.at = inLiteral, "true", 1
	case 'f':
		o.state, o.literal, o.at = inLiteral, "false", 1
	case 'n':
		o.state, o.literal, o.at = inLiteral, "null", 1
	default:
		o.beginNumber(c)
	}
}

// after reads what follows a value.
func (o *object) after(c byte) {
	switch {
	case c == ',' && o.inObject():
		o.state = atKey
	case c == ',':
		o.state = atValue
	case c == '}':
		o.close(true)
	case c == ']':
		o.close(false)
	default:
		o.state = broken
	}
}

func (o *object) inObject() bool { return o.objects[o.depth/64]>>(o.depth%64)&1 == 1 }

// open enters an object or an array.
func (o *object) open(object bool) {
	if o.depth == maxDepth {
		o.state = broken
		return
	}
	o.depth++
	bit := uint64(1) << (o.depth % 64)
	o.objects[o.depth/64] &^= bit
	o.state = atFirstElement
	if object {
		o.objects[o.depth/64] |= bit
		o.state = atFirstKey
	}
	o.entered(object, o.depth)
}

// close leaves an object or an array, if that is what is open.
func (o *object) close(object bool) {
	if o.inObject() != object {
		o.state = broken
		return
	}
	o.left(object, o.depth)
	o.depth--
	o.state = afterValue
	if o.depth == 0 {
		o.state = atEnd
	}
}

func (o *object) facts() Facts {
	f := o.picks.facts()
	if f.Valid = o.state == atEnd; !f.Valid {
		f.Members = 0 // a shape is that of a whole
	}
	return f
}
