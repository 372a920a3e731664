package connbound

import (
	"container/list"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// conn is a connection that counts.
type conn struct {
	net.Conn
	in    *Listener
	at    *list.Element // nil once it does not count any more
	busy  atomic.Bool
	since time.Time // when it became busy or idle, or last read something while it was idle
}

// takenOf returns the conn that c is, or that it was made of, or nil.
func takenOf(c net.Conn) *conn {
	for {
		switch inner := c.(type) {
		case *conn:
			return inner
		case interface{ NetConn() net.Conn }: // of crypto/tls and firstbyte
			c = inner.NetConn()
		default:
			return nil
		}
	}
}

// Read notes that something came: a request may have begun, of which State will tell. Whoever
// sends a part of one and no more is idle again from then on.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.busy.Load() {
		c.in.touch(c)
	}
	return n, err
}

// Close closes the connection and makes room for another one.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.in.ended(c)
	return err
}

// CloseWrite says that nothing more is coming and leaves the way back open, or returns
// errors.ErrUnsupported.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ended takes c out.
func (l *Listener) ended(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at != nil {
		l.listOf(c).Remove(c.at)
		c.at = nil
	}
	l.room.Broadcast()
}

// touch says that c has been idle from now on.
func (l *Listener) touch(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at != nil && !c.busy.Load() {
		c.since = time.Now()
		l.idle.MoveToBack(c.at)
	}
}

// listOf returns the list that c is in. Locked.
func (l *Listener) listOf(c *conn) *list.List {
	if c.busy.Load() {
		return &l.busy
	}
	return &l.idle
}

// set makes c busy or idle, as the last of those. Locked.
func (l *Listener) set(c *conn, busy bool) {
	l.listOf(c).Remove(c.at)
	c.busy.Store(busy)
	c.since = time.Now()
	c.at = l.listOf(c).PushBack(c)
	if !busy {
		l.room.Broadcast()
	}
}
