package wsframe

// Opcodes of RFC 6455, section 5.2.
const (
	opBinary = 0x2 // the last that carries data
	opClose  = 0x8
	opPong   = 0xA // the last that is defined
)

// Bits of a frame's first two bytes.
const (
	bitFinal   = 0x80
	bitsOpcode = 0x0f
	bitMask    = 0x80
	bitsLength = 0x7f
)

const (
	headMax    = 14  // two bytes, eight of length, four of mask
	controlMax = 125 // payload of a control frame (section 5.5)
	length16   = 126 // the length stands in the next two bytes
	length64   = 127 // and in the next eight
)

// NoStatus is the code of a Close frame that has none (section 7.1.5).
const NoStatus = 1005

// Watcher follows the frames of one direction. Its zero value is at the beginning
// of one that a server sends; those of a client are masked. Not safe for concurrent use.
type Watcher struct {
	// Masked tells that a client sends: its frames are masked, a server's are not.
	Masked bool

	head    [headMax]byte
	headN   int
	payload uint64 // still to come of the frame at hand
	closing bool   // the frame at hand is a Close
	code    [2]byte
	codeN   int
	closed  bool // a whole Close frame has passed
	lost    bool // these are no frames, or not of that side
}

// Next reads p up to the end of the frame at hand, and returns how many bytes that
// are: less than len(p) only at a frame's end. Once the bytes are not what RFC 6455
// allows they are read no further: Next returns len(p), and Between stays false.
func (w *Watcher) Next(p []byte) int {
	if w.lost {
		return len(p)
	}
	n := 0
	for n < len(p) {
		if w.payload == 0 {
			w.head[w.headN] = p[n]
			w.headN++
			n++
			if w.headN == w.headLen() {
				w.begin()
			}
			if w.lost {
				return len(p)
			}
		} else {
			n += w.skip(p[n:])
		}
		if w.headN == 0 && w.payload == 0 {
			return n
		}
	}
	return n
}

// Write reads all of p. It never fails.
func (w *Watcher) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[w.Next(rest):]
	}
	return len(p), nil
}

// Between reports whether the bytes so far end with a frame, so that another one may
// follow: also at the very beginning.
func (w *Watcher) Between() bool { return !w.lost && w.headN == 0 && w.payload == 0 }

// Lost reports whether the bytes were no frames.
func (w *Watcher) Lost() bool { return w.lost }

// Closed returns the code of the Close frame that has passed, NoStatus if it had
// none, or 0 if there was no Close frame.
func (w *Watcher) Closed() int {
	switch {
	case !w.closed:
		return 0
	case w.codeN < len(w.code):
		return NoStatus
	}
	return int(w.code[0])<<8 | int(w.code[1])
}

// headLen is how long the head at hand is, as far as its bytes tell.
func (w *Watcher) headLen() int {
	if w.headN < 2 {
		return 2
	}
	n := 2
	switch w.head[1] & bitsLength {
	case length16:
		n += 2
	case length64:
		n += 8
	}
	if w.Masked {
		n += 4
	}
	return n
}

// begin begins the payload of the frame whose head was read.
func (w *Watcher) begin() {
	opcode, length := w.head[0]&bitsOpcode, uint64(w.head[1]&bitsLength)
	control := opcode >= opClose
	switch {
	case opcode > opBinary && !control, opcode > opPong,
		w.head[1]&bitMask != 0 != w.Masked,
		control && (length > controlMax || w.head[0]&bitFinal == 0),
		w.closed: // nothing may follow a Close (section 5.5.1)
		w.lost = true
		return
	}
	if length == length16 || length == length64 {
		end := 4
		if length == length64 {
			end = 10
		}
		length = 0
		for _, b := range w.head[2:end] {
			length = length<<8 | uint64(b)
		}
	}
	if length > 1<<63-1 { // its highest bit must be 0
		w.lost = true
		return
	}
	w.payload, w.closing = length, opcode == opClose
	if length == 0 {
		w.end()
	}
}

// skip passes over payload and returns how much of p that was.
func (w *Watcher) skip(p []byte) int {
	n := len(p)
	if uint64(n) > w.payload {
		n = int(w.payload)
	}
	if w.closing {
		w.read(p[:n])
	}
	w.payload -= uint64(n)
	if w.payload == 0 {
		w.end()
	}
	return n
}

// read keeps the code of a Close frame.
func (w *Watcher) read(p []byte) {
	for _, b := range p[:min(len(p), len(w.code)-w.codeN)] {
		if w.Masked {
			b ^= w.head[w.headN-4+w.codeN]
		}
		w.code[w.codeN] = b
		w.codeN++
	}
}

func (w *Watcher) end() {
	w.closed = w.closed || w.closing
	w.headN, w.closing = 0, false
}
