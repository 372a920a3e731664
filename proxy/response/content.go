package response

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"outrigger/policy/endpoint"
	"outrigger/proxy/decode"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/wire"
)

// Content tells what an answer is by its bytes, whatever its labels say: encoded or not, an
// event stream or something else. It is shown each of them, once and in order, while they
// pass on unchanged; what is encoded it decodes in a copy.
type Content struct {
	encoding string // as the answer is labelled
	labelled bool   // as an event stream
	owed     bool   // it has to be one
	dialect  endpoint.Dialect
	keeps    bool // what is decoded is kept, up to HoldAnswer

	mu      sync.Mutex // the answer may be closed while it is read
	head    []byte     // the first bytes, until they tell the coding
	known   bool       // the coding is
	copy    *decode.Copy
	lead    []byte // the first decoded bytes, until they tell the kind
	kind    contentKind
	watcher *eventstream.Watcher // nil while no byte was read, and when it is no event stream
	text    []byte               // decoded, if it is neither that nor plain
	over    bool                 // nothing more is shown
}

// contentKind is what an answer is.
type contentKind uint8

// The kinds of content.
const (
	kindOpen   contentKind = iota // it is not known yet
	kindEvents                    // an event stream
	KindText                      // JSON or markup, if it is read at all
	KindOther                     // none of these, or it cannot be decoded
)

// NewContent returns what tells the content of an answer with these labels.
func NewContent(l Labels) *Content {
	c := &Content{encoding: l.Encoding, labelled: l.Kind == wire.TypeEvents, owed: l.Owed, dialect: l.Dialect, keeps: true}
	if !l.Events {
		c.kind = KindText
	}
	return c
}

// NewEncoded returns what only looks whether an encoded answer comes to its end.
func NewEncoded(encoding string) *Content {
	return &Content{encoding: encoding, kind: KindText}
}

// Write is shown the answer's next bytes.
func (c *Content) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show(p)
	return len(p), nil
}

func (c *Content) show(p []byte) {
	switch {
	case c.over || len(p) == 0:
	case !c.known:
		c.head = append(c.head, p...)
		c.look(true)
	case c.copy != nil:
		_, _ = c.copy.Write(p)
		c.giveUp()
	default:
		c.plain(p)
	}
}

// look finds the coding by the first bytes, if they are enough for that.
func (c *Content) look(more bool) {
	encoding, sure := decode.Look(c.encoding, c.head, more)
	if !sure {
		return
	}
	c.known = true
	if encoding != "" {
		if c.copy, _ = decode.NewCopy(encoding, decoded{c}); c.copy == nil {
			c.is(KindOther)
		}
	}
	head := c.head
	c.head = nil
	c.show(head)
}

// decoded takes what a content's copy has decoded.
type decoded struct{ *Content }

func (d decoded) Write(p []byte) (int, error) {
	c := d.Content
	c.plain(p)
	if c.kind != kindEvents && c.keeps && len(c.text) < HoldAnswer {
		c.text = append(c.text, p[:min(len(p), HoldAnswer-len(c.text))]...)
	}
	return len(p), nil
}

// plain reads the next bytes of what is not encoded, or not any more.
func (c *Content) plain(p []byte) {
	if c.kind == kindOpen {
		c.lead = append(c.lead, p[:min(len(p), leadMax)]...)
		c.guess(true)
	}
	if c.kind > kindEvents {
		return
	}
	if c.watcher == nil {
		c.watcher = eventstream.New(c.dialect)
	}
	_, _ = c.watcher.Write(p) // while it is open too: offsets count from the start
}

// leadMax bounds what is kept to tell an event stream by: blank lines may stand before it.
const leadMax = 1 << 10

const byteOrderMark = "\ufeff"

// guess tells an event stream by the first decoded bytes, if they are enough for that.
func (c *Content) guess(more bool) {
	if more && len(c.lead) < len(byteOrderMark) && strings.HasPrefix(byteOrderMark, string(c.lead)) {
		return
	}
	lead := bytes.TrimLeft(bytes.TrimPrefix(c.lead, []byte(byteOrderMark)), "\r\n")
	switch is, sure := beginsEvents(lead); {
	case sure && is:
		c.is(kindEvents)
	case len(lead) > 0 && strings.IndexByte("{[< \t", lead[0]) >= 0:
		c.is(KindText)
	case c.labelled && len(lead) > 0, c.owed && !more && !sure:
		c.is(kindEvents)
	case sure, !more, len(c.lead) >= leadMax:
		c.is(KindOther)
	}
}

// giveUp notes that the answer cannot be decoded, before it told what it is.
func (c *Content) giveUp() {
	if c.kind == kindOpen && c.copy.Lost() {
		c.is(KindOther)
	}
}

// is notes what the answer is.
func (c *Content) is(k contentKind) {
	c.kind, c.lead = k, nil
	if k != kindEvents {
		c.watcher = nil
		return
	}
	c.text = nil
	if c.watcher == nil {
		c.watcher = eventstream.New(c.dialect)
	}
}

// fields are those that a line of an event stream begins with (WHATWG HTML, section 9.2.6).
var fields = [...]string{":", "data:", "event:", "id:", "retry:"}

// beginsEvents reports whether text is the beginning of an event stream, and whether that is sure.
func beginsEvents(text []byte) (bool, bool) {
	open := len(text) == 0
	for _, field := range fields {
		if bytes.HasPrefix(text, []byte(field)) {
			return true, true
		}
		open = open || bytes.HasPrefix([]byte(field), text)
	}
	return false, !open
}

// End is told that the bytes have ended.
func (c *Content) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	if !c.known {
		c.look(false)
	}
	if c.copy != nil {
		c.copy.End()
		c.giveUp()
	}
	if c.kind == kindOpen {
		c.guess(false)
	}
	c.over = true
}

// Close gives back what c uses.
func (c *Content) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.copy != nil {
		c.copy.Close()
	}
}

// Watched is an answer's body whose bytes are shown to its content as they are read.
type Watched struct {
	io.ReadCloser
	Content *Content
}

// Read implements io.Reader.
func (s *Watched) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	_, _ = s.Content.Write(p[:n])
	if err != nil {
		s.Content.End()
	}
	return n, err
}

// Close implements io.Closer. It is safe to call while the body is read.
func (s *Watched) Close() error {
	err := s.ReadCloser.Close()
	s.Content.Close()
	return err
}
