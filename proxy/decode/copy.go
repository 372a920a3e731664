package decode

import (
	"errors"
	"io"
	"iter"
)

// Bounds of what a Copy makes of what it is shown: copySlack bytes, and copyRatio
// times as many as it was shown. An event stream that flushes each event shrinks to a
// fifth, text that repeats itself to a fiftieth; DEFLATE ends at 1032 (zlib, technical
// details), br nowhere.
const (
	copySlack = 1 << 20
	copyRatio = 256
)

// errBomb ends a Copy of what grows without measure.
var errBomb = errors.New("decoded far more than was encoded")

// Copy decodes an encoded body beside the bytes that pass: it is shown them as they
// come, in any split, and writes all that they give, at once, in the same goroutine. What
// it makes of them is bounded, in every layer, and an error in them is its own: they pass
// all the same. Make it with NewCopy; Close it. It is not safe for concurrent use.
type Copy struct {
	out    io.Writer
	rest   []byte // of what it was shown last
	closed bool   // nothing more comes
	shown  int64
	made   int64 // by all layers
	over   bool
	ended  bool // the decoder has
	err    error
	resume func() (struct{}, bool)
	stop   func()
	wait   func(struct{}) bool
}

// NewCopy returns a copy of what has the given Content-Encoding, decoded to out, or an
// error that wraps ErrCoding.
func NewCopy(encoding string, out io.Writer) (*Copy, error) {
	codings, err := parse(encoding)
	if err != nil {
		return nil, err
	}
	c := &Copy{out: out}
	// A coroutine: decoders ask for bytes, but these are handed to them. It runs only
	// while Write, End or Close does.
	c.resume, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.wait = yield
		c.run(codings)
	})
	return c, nil
}

// Write shows c the next bytes. It keeps none of p and always returns len(p), nil.
func (c *Copy) Write(p []byte) (int, error) {
	c.shown += int64(len(p))
	if !c.ended && len(p) > 0 {
		c.rest = p
		c.resume()
		c.rest = nil
	}
	return len(p), nil
}

// End tells c that nothing more comes.
func (c *Copy) End() {
	c.closed = true
	if !c.ended {
		c.resume()
	}
}

// Close gives back what c uses.
func (c *Copy) Close() {
	c.ended = true
	c.stop()
}

// Over reports whether the encoded data has come to its own end, so that nothing needs
// to follow. It is not known of br and zstd before End.
func (c *Copy) Over() bool { return c.over }

// Torn reports, after End, whether the encoded data ends before its own end.
func (c *Copy) Torn() bool {
	return c.shown > 0 && c.ended && errors.Is(c.err, io.ErrUnexpectedEOF)
}

// Lost reports whether what c was shown cannot be decoded, or not within its bounds.
func (c *Copy) Lost() bool {
	return c.err != nil && !errors.Is(c.err, io.EOF) && !errors.Is(c.err, io.ErrUnexpectedEOF)
}

// run decodes all that comes.
func (c *Copy) run(codings []string) {
	defer func() {
		if recover() != nil { // a decoder's mistake is not to harm what passes
			c.err = ErrCoding
		}
		c.ended = true
	}()
	var r io.Reader = (*shown)(c)
	var opened []io.Closer
	for i := len(codings) - 1; i >= 0; i-- {
		decoder := c.layer(codings[i], r, i == len(codings)-1)
		opened = append(opened, decoder)
		r = &counted{decoder, c}
	}
	c.err = c.pump(r)
	c.over = c.over || errors.Is(c.err, io.EOF)
	for _, decoder := range opened {
		_ = decoder.Close()
	}
}

// layer returns a reader of what r holds in a coding; the outermost one is all of the body.
func (c *Copy) layer(coding string, r io.Reader, outermost bool) io.ReadCloser {
	if coding != "gzip" && coding != "x-gzip" {
		return newReader(coding, r)
	}
	return newMembers(r, func(ended bool) {
		if outermost {
			c.over = ended
		}
	})
}

// pump writes what r gives, up to its end.
func (c *Copy) pump(r io.Reader) error {
	buf := make([]byte, 4<<10)
	for empty := 0; empty < 100; empty++ { // as bufio.Reader has it
		n, err := r.Read(buf)
		if n > 0 {
			empty = 0
			_, _ = c.out.Write(buf[:n])
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// shown is a Copy as its decoder reads it: a read waits for the next Write.
type shown Copy

// Read implements io.Reader.
func (s *shown) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.closed {
			return 0, io.EOF
		}
		if !s.wait(struct{}{}) {
			return 0, io.ErrClosedPipe
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// counted bounds what one layer makes.
type counted struct {
	r io.Reader
	c *Copy
}

// Read implements io.Reader.
func (l *counted) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.c.made += int64(n)
	if l.c.made > copySlack+copyRatio*l.c.shown {
		return 0, errBomb
	}
	return n, err
}
