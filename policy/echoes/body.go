package echoes

import "bytes"

// Body takes the next bytes of the request's body: JSON, whose strings and names of members are values, or a form or a text,
// whose lines are.
func (f *Finder) Body(p []byte) {
	if !f.begun {
		p = bytes.TrimLeft(bytes.TrimPrefix(p, []byte("\ufeff")), " \t\r\n")
		if len(p) == 0 {
			return
		}
		f.begun, f.json = true, p[0] == '{' || p[0] == '[' || p[0] == '"'
	}
	if f.steps > maxSteps {
		return
	}
	f.pending = append(f.pending, p...)
	// An escape that is cut in two would be read as something else.
	n := bytes.LastIndexAny(f.pending, " ,:\n") + 1
	if n == 0 && len(f.pending) > pendingMax {
		n = len(f.pending) - 16 // data: where its words are cut does not matter
	}
	f.read(f.pending[:n])
	f.pending = append(f.pending[:0], f.pending[n:]...)
}

// pendingMax is how much is kept to find where a word ends.
const pendingMax = 4 << 10

// finish takes what is left of the body.
func (f *Finder) finish() {
	f.read(f.pending)
	f.pending = nil
	f.boundary()
}

// read takes bytes of the body that cut no word.
func (f *Finder) read(p []byte) {
	if !f.json {
		f.lines(p)
		return
	}
	for len(p) > 0 {
		end := f.stringEnd(p)
		if f.inString {
			f.words(string(p[:end]))
		}
		if end == len(p) {
			return
		}
		f.inString = !f.inString
		f.boundary()
		p = p[end+1:]
	}
}

// stringEnd returns where the next quote stands that begins or ends a string.
func (f *Finder) stringEnd(p []byte) int {
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '"':
			return i
		case p[i] == '\\' && f.inString:
			i++
		}
	}
	return len(p)
}

// lines takes text that is no JSON. Lines end values, and so do what parts the fields of a form and quotes.
func (f *Finder) lines(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n&=\"")
		if end < 0 {
			f.words(string(p))
			return
		}
		f.words(string(p[:end]))
		f.boundary()
		p = p[end+1:]
	}
}
