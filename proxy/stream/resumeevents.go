package stream

import (
	"bytes"
	"slices"
	"sync"

	"outrigger/proxy/response"
)

const (
	// maxWholeEvent bounds an event that is held until it is whole. The largest ones have
	// images in them, as base64 of a few MB.
	maxWholeEvent = 16 << 20
	// freeEvents is what is held without a reservation, as of any stream.
	freeEvents = 64 << 10
	eventSpace = 4 << 10
)

// wholeEvents gathers the bytes of an event stream and yields only whole events. Blank
// lines end them, after LF or CRLF. The zero value is empty; set room.
type wholeEvents struct {
	room  response.Room
	buf   []byte
	off   int  // of the bytes that were taken
	ready int  // end of the bytes that may be taken
	end   int  // of the event that next returned
	line  int  // where the line at hand begins
	crlf  bool // lines end in CRLF

	mu       sync.Mutex
	reserved int
	freed    bool
}

// space returns where the next bytes are to be read to; grow says how many they are.
func (e *wholeEvents) space() []byte {
	if e.off == e.ready {
		e.shift(e.off)
	}
	if cap(e.buf) > freeEvents && len(e.buf) < eventSpace {
		e.buf = append(make([]byte, 0, 2*eventSpace), e.buf...)
		e.reserve(0)
	}
	e.buf = slices.Grow(e.buf, eventSpace)
	return e.buf[len(e.buf):cap(e.buf)]
}

// grow takes in n bytes, and reports whether more may be held.
func (e *wholeEvents) grow(n int) bool {
	e.buf = e.buf[:len(e.buf)+n]
	return len(e.buf)-e.ready <= maxWholeEvent && e.reserve(max(cap(e.buf)-freeEvents, 0))
}

// next returns the first event that is whole and not yet passed or dropped, nil if there
// is none.
func (e *wholeEvents) next() []byte {
	for {
		n := bytes.IndexByte(e.buf[e.line:], '\n')
		if n < 0 {
			return nil
		}
		text := e.buf[e.line : e.line+n]
		e.line += n + 1
		if k := len(text); k > 0 && text[k-1] == '\r' {
			text, e.crlf = text[:k-1], true
		}
		if len(text) == 0 {
			e.end = e.line
			return e.buf[e.ready:e.end]
		}
	}
}

// isOdd reports whether lines end in CR alone: such events are not told apart here.
func (e *wholeEvents) isOdd() bool {
	i := bytes.IndexByte(e.buf, '\r')
	return i >= 0 && i+1 < len(e.buf) && e.buf[i+1] != '\n'
}

// pass lets the event that next returned be taken, drop forgets it.
func (e *wholeEvents) pass() { e.ready = e.end }

func (e *wholeEvents) drop() {
	e.buf = slices.Delete(e.buf, e.ready, e.end)
	e.line, e.end = e.ready, e.ready
}

// take yields bytes that were passed.
func (e *wholeEvents) take(p []byte) int {
	n := copy(p, e.buf[e.off:e.ready])
	e.off += n
	return n
}

// rest is what has come of an event that is not whole.
func (e *wholeEvents) rest() []byte { return e.buf[e.ready:] }

func (e *wholeEvents) dropRest() {
	e.buf, e.line, e.end = e.buf[:e.ready], e.ready, e.ready
}

// endLine ends the line and the event at hand, which lack text, as the others ended.
func (e *wholeEvents) endLine(text []byte) {
	end := "\n\n"
	if e.crlf {
		end = "\r\n\r\n"
	}
	e.buf = append(e.buf[:e.ready+len(bytes.TrimRight(e.rest(), "\r\n"))], text...)
	e.buf = append(e.buf, end...)
}

func (e *wholeEvents) passAll() { e.ready = len(e.buf) }

func (e *wholeEvents) append(b []byte) {
	e.buf = append(e.buf, b...)
	e.passAll()
}

// shift forgets the first n bytes.
func (e *wholeEvents) shift(n int) {
	e.buf = append(e.buf[:0], e.buf[n:]...)
	e.off, e.ready, e.end, e.line = e.off-n, e.ready-n, max(e.end-n, 0), max(e.line-n, 0)
}

// reserve makes n the bytes that are accounted for.
func (e *wholeEvents) reserve(n int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch more := n - e.reserved; {
	case e.freed:
		return true // it ends
	case more > 0 && !e.room.Reserve(int64(more)):
		return false
	case more < 0:
		e.room.Free(int64(-more))
	}
	e.reserved = n
	return true
}

// free gives back what was reserved. It may be called beside the other methods.
func (e *wholeEvents) free() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.freed {
		e.room.Free(int64(e.reserved))
	}
	e.freed = true
}
