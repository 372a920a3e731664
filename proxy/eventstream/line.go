package eventstream

import "bytes"

// part of a line that a Watcher is in.
type part uint8

const (
	inField   part = iota // its name, up to a colon
	inData                // the value of data
	inEvent               // the value of event
	inNothing             // a comment, or a field that says nothing here
)

// fieldMax is longer than any field name that matters: what is cut there is none.
const fieldMax = 8

// line is the line at hand.
type line struct {
	part    part
	field   [fieldMax]byte
	fieldN  int
	space   bool  // a space that comes next is not of the value
	afterCR bool  // a LF that comes next ends no line
	mark    uint8 // bytes of a byte order mark seen at the stream's start; markDone: no more
}

const (
	mark     = "\xEF\xBB\xBF"
	markDone = uint8(len(mark))
)

// begun tells whether the line has bytes.
func (l *line) begun() bool {
	return l.part != inField || l.fieldN > 0 || l.mark > 0 && l.mark < markDone
}

// feed tells whether c is the LF of a CRLF whose CR has ended the line.
func (l *line) feed(c byte) bool {
	swallow := l.afterCR && c == '\n'
	l.afterCR = false
	return swallow
}

// skipMark returns how many bytes of p are of a byte order mark.
func (w *Watcher) skipMark(p []byte) int {
	l := &w.line
	for i, c := range p {
		if l.mark == markDone {
			return i
		}
		if c != mark[l.mark] {
			seen := mark[:l.mark]
			l.mark = markDone
			if len(seen) > 0 {
				w.part([]byte(seen))
			}
			return i
		}
		l.mark++
	}
	return len(p)
}

// part reads the next bytes of a line.
func (w *Watcher) part(b []byte) {
	if w.line.part == inField {
		b = w.fieldName(b)
	}
	if len(b) == 0 {
		return
	}
	if w.line.space {
		w.line.space = false
		if b[0] == ' ' {
			b = b[1:]
		}
	}
	switch w.line.part {
	case inData:
		w.data.add(b, w.room())
		w.scan.write(b)
	case inEvent:
		w.data.name.add(b)
	}
}

// fieldName reads a field's name and returns what of b follows its colon.
func (w *Watcher) fieldName(b []byte) []byte {
	l := &w.line
	colon := bytes.IndexByte(b, ':')
	end := colon
	if colon < 0 {
		end = len(b)
	}
	l.fieldN += copy(l.field[l.fieldN:], b[:end])
	if colon < 0 {
		return nil
	}
	w.begin()
	return b[colon+1:]
}

// begin begins the value of the field whose name was read.
func (w *Watcher) begin() {
	w.line.space = true
	switch string(w.line.field[:w.line.fieldN]) {
	case "data":
		w.line.part = inData
		if w.data.has {
			w.data.add(lineFeed, w.room())
			w.scan.write(lineFeed)
		}
		w.data.has = true
	case "event":
		w.line.part = inEvent
		w.data.name.reset()
	default:
		w.line.part = inNothing
	}
}

var lineFeed = []byte{'\n'}

// lineEnd ends a line, at an offset in the stream that counts its end.
func (w *Watcher) lineEnd(offset int64) {
	l := &w.line
	if !l.begun() {
		w.eventEnd(offset)
		return
	}
	if l.part == inField {
		w.begin() // a field without a colon has an empty value
	}
	l.part, l.fieldN = inField, 0
}
