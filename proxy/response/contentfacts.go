package response

import "outrigger/proxy/eventstream"

// The questions that may be put to a content, also while bytes are shown to it. A nil one
// is that of an answer that nobody looks at: it is neither encoded nor a stream.

// Events returns the watcher of an event stream, nil if it is none, or if that is not
// known yet. Nothing may be shown to c while it is used.
func (c *Content) Events() *eventstream.Watcher {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kind != kindEvents {
		return nil
	}
	return c.watcher
}

// What returns what the answer is, as far as it is known.
func (c *Content) What() contentKind {
	if c == nil {
		return KindText
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind
}

// Encoded reports whether the bytes are encoded, so that nothing can be added to them.
func (c *Content) Encoded() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil
}

// Open reports whether the encoding is known to want more bytes, or may.
func (c *Content) Open() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && !c.copy.Over()
}

// Torn reports, after the end, whether the encoding lacks its own.
func (c *Content) Torn() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && c.copy.Torn()
}

// Lost reports whether the answer is encoded and could not be decoded to its end.
func (c *Content) Lost() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && c.copy.Lost()
}

// Taken returns what was decoded of an answer that is encoded and no event stream, nil
// if it is plain. It is not kept any longer.
func (c *Content) Taken() []byte {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.text
	c.text, c.keeps = nil, false
	return text
}
