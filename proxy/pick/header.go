package pick

import "bytes"

// header reads a part's header lines, of which one is kept at a time. A line that is
// longer than 512 bytes is not understood: a name that matters is not in it.
type header struct {
	line      [512]byte
	n         int
	long      bool
	some      bool // there was a line
	lineStart bool
	cr        bool // CR at a line's start
	named     bool // Content-Disposition was seen: the first one counts
	field     field
}

func (h *header) begin() { *h = header{lineStart: true} }

// headerByte reads one byte of a part's header.
func (f *form) headerByte(c byte) {
	h := &f.header
	f.canon.headerByte(c)
	switch {
	case !h.lineStart:
		h.inLine(c)
	case c == '\n':
		h.judge()
		f.beginPart(h.field)
	case h.cr, !h.some && (c == ' ' || c == '\t'):
		f.state = malformed
	case c == '\r':
		h.cr = true
	case c == ' ' || c == '\t':
		h.lineStart = false // the line before goes on (RFC 9112, section 5.2, obs-fold)
		h.add(' ')
	default:
		h.judge()
		h.n, h.long, h.some, h.lineStart = 0, false, true, false
		h.add(c)
	}
}

func (h *header) inLine(c byte) {
	if c != '\n' {
		h.add(c)
		return
	}
	h.lineStart = true
	if h.n > 0 && h.line[h.n-1] == '\r' {
		h.n--
	}
}

func (h *header) add(c byte) {
	if h.n == len(h.line) {
		h.long = true
		return
	}
	h.line[h.n] = c
	h.n++
}

// judge looks at a line that is complete.
func (h *header) judge() {
	const key = "content-disposition:"
	if h.named || !hasPrefixFold(h.line[:h.n], key) {
		return
	}
	h.named = true
	if !h.long {
		h.field = disposed(h.line[len(key):h.n])
	}
}

func hasPrefixFold(p []byte, prefix string) bool {
	return len(p) >= len(prefix) && equalFold(p[:len(prefix)], prefix)
}

// equalFold is for ASCII and a lower-case s, and does not allocate.
func equalFold(p []byte, s string) bool {
	if len(p) != len(s) {
		return false
	}
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// beginPart begins the content after a header. A delimiter may follow at once: the
// line end before it is that of the header.
func (f *form) beginPart(what field) {
	f.state, f.matched, f.implied = partBody, f.dashes, f.dashes
	f.begin(what, f.offset+1)
	f.canon.begin()
}

// cutSpace returns p without the white space at its start.
func cutSpace(p []byte) []byte { return bytes.TrimLeft(p, " \t") }
