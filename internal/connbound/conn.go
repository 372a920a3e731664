package connbound

import (
	"container/list"
	"errors"
	"net"
	"time"
)

// conn is a connection that counts.
type conn struct {
	net.Conn
	in    *Listener
	at    *list.Element // nil once it does not count any more
	busy  bool
	since time.Time // when it became busy or idle
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
	l.keepSpare()
	l.room.Broadcast()
}

// listOf returns the list that c is in. Locked.
func (l *Listener) listOf(c *conn) *list.List {
	if c.busy {
		return &l.busy
	}
	return &l.idle
}

// set makes c busy or idle, as the last of those. Locked.
func (l *Listener) set(c *conn, busy bool) {
	l.listOf(c).Remove(c.at)
	c.busy, c.since = busy, time.Now()
	c.at = l.listOf(c).PushBack(c)
	if !busy {
		l.room.Broadcast()
	}
}
