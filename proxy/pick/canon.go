package pick

import (
	"encoding/binary"
	"io"
)

// canon writes down what a form says, so that two forms that say the same are
// written the same: without the boundary, which clients choose anew for each try
// (httpx and undici draw it at random when they encode a form), and without what
// stands before the first part and after the last.
//
// Each part is its header's bytes, their number, its content, and the number of
// that: read from the end it can mean one form only.
type canon struct {
	w       io.Writer
	n       uint64 // bytes of the present header or content so far
	one     [1]byte
	eight   [8]byte
	content bool
}

// Copy makes p write to w all that it is given from now on, so that w can tell one
// body from another: of a form what its parts say, whatever its boundary, of any
// other body each byte. Call it before the first Write. What w returns is ignored.
//
// A form that is not valid (see Facts) is written less exactly: add its length.
func (p *Picker) Copy(w io.Writer) {
	if p.kind == kindForm {
		p.form.canon = &canon{w: w}
		return
	}
	p.copy = w
}

// headerByte takes a byte of a part's header.
func (c *canon) headerByte(b byte) {
	if c == nil {
		return
	}
	c.one[0] = b
	_, _ = c.w.Write(c.one[:])
	c.n++
}

// begin ends the header: the content follows.
func (c *canon) begin() {
	if c != nil {
		c.length()
		c.content = true
	}
}

// add takes bytes of the content.
func (c *canon) add(p []byte) {
	if c != nil {
		_, _ = c.w.Write(p)
		c.n += uint64(len(p))
	}
}

// end ends the part, if there is one.
func (c *canon) end() {
	if c != nil && c.content {
		c.length()
		c.content = false
	}
}

// rest takes what follows the place where a form turned out to be none.
func (c *canon) rest(p []byte) {
	if c != nil {
		_, _ = c.w.Write(p)
	}
}

func (c *canon) length() {
	binary.BigEndian.PutUint64(c.eight[:], c.n)
	_, _ = c.w.Write(c.eight[:])
	c.n = 0
}
