package proxy

import "outrigger/proxy/eventstream"

// The questions that may be put to a content, also while bytes are shown to it. A nil one
// is that of an answer that nobody looks at: it is neither encoded nor a stream.

// events returns the watcher of an event stream, nil if it is none, or if that is not
// known yet. Nothing may be shown to c while it is used.
func (c *content) events() *eventstream.Watcher {
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

// what returns what the answer is, as far as it is known.
func (c *content) what() contentKind {
	if c == nil {
		return kindText
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind
}

// encoded reports whether the bytes are encoded, so that nothing can be added to them.
func (c *content) encoded() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil
}

// open reports whether the encoding is known to want more bytes, or may.
func (c *content) open() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && !c.copy.Over()
}

// torn reports, after the end, whether the encoding lacks its own.
func (c *content) torn() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && c.copy.Torn()
}

// lost reports whether the answer is encoded and could not be decoded to its end.
func (c *content) lost() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copy != nil && c.copy.Lost()
}

// taken returns what was decoded of an answer that is encoded and no event stream, nil
// if it is plain. It is not kept any longer.
func (c *content) taken() []byte {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.text
	c.text, c.keeps = nil, false
	return text
}
