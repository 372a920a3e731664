package pick

import (
	"bytes"

	"outrigger/policy/endpoint"
)

// form reads a multipart/form-data body (RFC 7578), as mime/multipart does: lines
// end in CRLF, or all in LF if the first boundary's does.
type form struct {
	fields
	header header
	canon  *canon  // nil unless the form is copied
	one    [1]byte // for what comes byte by byte

	state     formState
	delimiter []byte // CRLF or LF, two hyphens, boundary
	dashes    int    // where the hyphens begin in it
	matched   int    // bytes of the delimiter that were seen
	implied   int    // how many of them stand before the part's first byte
	parts     int
	offset    int64 // of the byte that is being read
}

// formState is what the scanner reads.
type formState uint8

const (
	lineStart   formState = iota // preamble: a line's start, as far as it matches
	lineRest                     // preamble: a line that is no boundary
	partHeader                   // see header
	partBody                     // a part's content, or a delimiter as far as it matches
	afterDashes                  // after a delimiter
	oneHyphen                    // after a delimiter and a hyphen
	padding                      // white space after a delimiter
	paddingCR                    // and CR
	closed                       // after the last delimiter's hyphens
	closedCR                     // and CR
	epilogue                     // after the last line
	malformed
)

func newForm(boundary string) *form {
	return &form{delimiter: []byte("\r\n--" + boundary), dashes: 2, matched: 2}
}

// write reads p, the next bytes of the body.
func (f *form) write(p []byte) {
	for len(p) > 0 && f.state < epilogue {
		n := 1
		switch f.state {
		case partBody:
			n = f.content(p)
		case lineRest:
			n = f.skipLine(p)
		default:
			f.step(p[0])
		}
		p = p[n:]
		f.offset += int64(n)
	}
	f.offset += int64(len(p))
	if f.state == malformed {
		f.canon.rest(p)
	}
}

// add takes content of the present part.
func (f *form) add(p []byte) {
	f.fields.add(p)
	f.canon.add(p)
}

func (f *form) add1(c byte) {
	f.one[0] = c
	f.add(f.one[:])
}

// endPart ends the present part, if there is one.
func (f *form) endPart() {
	f.fields.endPart()
	f.canon.end()
}

// skipLine passes over the rest of a line before the first part.
func (f *form) skipLine(p []byte) int {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		return len(p)
	}
	f.state, f.matched = lineStart, f.dashes
	return i + 1
}

// content reads content up to where the delimiter may begin, or one byte of what may
// be the delimiter. It returns how many bytes it read, at least one.
func (f *form) content(p []byte) int {
	if f.matched == 0 {
		i := bytes.IndexByte(p, f.delimiter[0])
		if i < 0 {
			i = len(p)
		}
		if i > 0 {
			f.add(p[:i])
			return i
		}
	}
	if p[0] != f.delimiter[f.matched] {
		f.unmatch()
		return f.content1(p[0])
	}
	f.matched++
	if f.matched == len(f.delimiter) {
		f.state = afterDashes
	}
	return 1
}

// content1 reads a byte of content that is not the next one of a delimiter, but may
// be the first one: no other byte of a delimiter is like it.
func (f *form) content1(c byte) int {
	if c == f.delimiter[0] {
		f.matched = 1
		return 1
	}
	f.add1(c)
	return 1
}

// unmatch takes what looked like a delimiter as content.
func (f *form) unmatch() {
	f.add(f.delimiter[f.implied:f.matched])
	f.matched, f.implied = 0, 0
}

// step reads one byte outside of a part's content.
func (f *form) step(c byte) {
	switch f.state {
	case lineStart:
		f.preamble(c)
	case partHeader:
		f.headerByte(c)
	case afterDashes, oneHyphen:
		f.boundary(c)
	case padding, paddingCR:
		f.pad(c)
	case closed, closedCR:
		f.last(c)
	}
}

// preamble reads the start of a line before the first part.
func (f *form) preamble(c byte) {
	if c != f.delimiter[f.matched] {
		f.noBoundary(c)
		return
	}
	f.matched++
	if f.matched == len(f.delimiter) {
		f.state = afterDashes
	}
}

// noBoundary says that the line that c stands in is not a boundary: before the first
// part it is passed over, after a part nothing else may follow a delimiter.
func (f *form) noBoundary(c byte) {
	switch {
	case f.parts > 0:
		f.state = malformed
	case c == '\n':
		f.state, f.matched = lineStart, f.dashes
	default:
		f.state = lineRest
	}
}

// boundary reads what follows a delimiter, which decides whether it is one.
func (f *form) boundary(c byte) {
	switch {
	case f.state == oneHyphen && c == '-':
		f.endPart()
		f.state = closed
	case f.state == afterDashes && c == '-':
		f.state = oneHyphen
	case f.state == afterDashes && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
		f.endPart()
		f.state = padding
		f.pad(c)
	case f.parts == 0:
		f.noBoundary(c)
	default:
		hyphen := f.state == oneHyphen
		f.state = partBody
		f.unmatch()
		if hyphen {
			f.add1('-')
		}
		f.content1(c)
	}
}

// pad reads the rest of a line that began with a delimiter.
func (f *form) pad(c byte) {
	switch {
	case c == '\n':
		f.lineEnd(f.state == paddingCR)
	case f.state == paddingCR:
		f.noBoundary(c)
	case c == '\r':
		f.state = paddingCR
	case c != ' ' && c != '\t':
		f.noBoundary(c)
	}
}

// lineEnd ends the line of a delimiter: a part follows.
func (f *form) lineEnd(crlf bool) {
	if f.parts == 0 && !crlf {
		f.delimiter, f.dashes = f.delimiter[1:], 1
	}
	if crlf != (f.dashes == 2) {
		f.noBoundary('\n')
		return
	}
	f.parts++
	f.state = partHeader
	f.header.begin()
}

// last reads the rest of the last delimiter's line.
func (f *form) last(c byte) {
	switch {
	case c == '\n' && (f.state == closedCR) == (f.dashes == 2):
		f.state = epilogue
	case c == '\n' || f.state == closedCR:
		f.noBoundary(c)
	case c == '\r':
		f.state = closedCR
	case c != ' ' && c != '\t':
		f.noBoundary(c)
	}
}

func (f *form) facts() Facts {
	facts := f.fields.facts()
	if facts.Valid = f.state == closed || f.state == epilogue; facts.Valid && facts.Model != "" {
		facts.Members = endpoint.HasModel
	}
	return facts
}
