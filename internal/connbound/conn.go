package connbound

import (
	"container/list"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// conn is a connection that counts. All but Conn is under the Listener's lock.
type conn struct {
	net.Conn
	in    *Listener
	list  *list.List    // of the Listener's
	at    *list.Element // nil once it does not count any more
	since time.Time     // when it became busy or idle, or last read something while it was idle
	reads int           // that renewed since, of mostReads
	busy  atomic.Bool   // spares a read in use the lock
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
		l.drop(c)
	}
	l.room.Broadcast()
}

// drop takes c out. Locked.
func (l *Listener) drop(c *conn) {
	c.list.Remove(c.at)
	c.at = nil
}

// mostReads is how many reads between two requests renew a connection's grace: a TLS handshake and
// the head of a request take a few. Who sends byte for byte is as good as idle.
const mostReads = 16

// touch says that c has been idle from now on.
func (l *Listener) touch(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.at != nil && c.list != &l.busy && c.reads < mostReads {
		c.reads++
		l.renew(c)
	}
}

// renew has c idle from now on. Locked.
func (l *Listener) renew(c *conn) {
	c.since = time.Now()
	c.list.MoveToBack(c.at)
}

// move puts c at the end of a list. Locked.
func (l *Listener) move(c *conn, to *list.List) {
	c.list.Remove(c.at)
	c.list, c.at = to, to.PushBack(c)
	c.since, c.reads = time.Now(), 0
	c.busy.Store(to == &l.busy)
	if to != &l.busy {
		l.room.Broadcast()
	}
}
