package pick

import "bytes"

// disposed returns the field that a Content-Disposition value names (RFC 7578,
// section 4.2; RFC 2183, section 2), fieldOther for anything it does not understand.
// It reads what mime.ParseMediaType reads, without a map, but for the encoded names
// (name*=) that RFC 7578 forbids.
func disposed(value []byte) field {
	kind, rest := cutAt(value, ';')
	if !equalFold(bytes.TrimSpace(kind), "form-data") {
		return fieldOther
	}
	var name, file word
	named := false
	for len(cutSpace(rest)) > 0 {
		key, value, left, ok := parameter(rest)
		if !ok {
			if string(bytes.TrimSpace(rest)) == ";" {
				break
			}
			return fieldOther
		}
		rest = left
		switch {
		case equalFold(key, "name"):
			if named && !bytes.Equal(value.bytes(), name.bytes()) {
				return fieldOther
			}
			name, named = value, true
		case equalFold(key, "filename"), hasPrefixFold(key, "filename*"):
			file = value
		case hasPrefixFold(key, "name*"):
			return fieldOther
		}
	}
	return fieldOf(name.bytes(), file.n > 0)
}

// cutAt splits p before the first c.
func cutAt(p []byte, c byte) ([]byte, []byte) {
	if i := bytes.IndexByte(p, c); i >= 0 {
		return p[:i], p[i:]
	}
	return p, nil
}

// parameter reads one parameter, from its semicolon on, and returns its key, its
// value, what follows, and whether it is one.
func parameter(p []byte) ([]byte, word, []byte, bool) {
	rest := cutSpace(p)
	if len(rest) == 0 || rest[0] != ';' {
		return nil, word{}, p, false
	}
	key, rest := token(cutSpace(rest[1:]))
	rest = cutSpace(rest)
	if len(key) == 0 || len(rest) == 0 || rest[0] != '=' {
		return nil, word{}, p, false
	}
	rest = cutSpace(rest[1:])
	if len(rest) > 0 && rest[0] == '"' {
		value, rest, ok := quoted(rest[1:])
		return key, value, rest, ok
	}
	text, rest := token(rest)
	var value word
	value.add(text)
	return key, value, rest, len(text) > 0
}

// quoted reads a quoted string from after its first quote on, and returns it, what
// follows its last quote, and whether there was one. A backslash before anything
// that needs none is kept: browsers wrote Windows paths so.
func quoted(p []byte) (word, []byte, bool) {
	var value word
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == '"' {
			return value, p[i+1:], true
		}
		if c == '\\' && i+1 < len(p) && special(p[i+1]) {
			i++
			c = p[i]
		}
		value.addByte(c)
	}
	return value, nil, false
}

// token splits p after the token at its start (RFC 2045, section 5.1).
func token(p []byte) ([]byte, []byte) {
	for i, c := range p {
		if c <= ' ' || c >= 0x7F || special(c) {
			return p[:i], p[i:]
		}
	}
	return p, nil
}

// special reports whether c is one of RFC 2045's tspecials.
func special(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '@', ',', ';', ':', '\\', '"', '/', '[', ']', '?', '=':
		return true
	default:
		return false
	}
}
