package memnet

import (
	"net"
	"os"
	"sync"
	"time"
)

// conn is one end of a connection. Safe for concurrent use, but for several readers
// at once: their bytes would be mixed.
type conn struct {
	in, out *direction
	delay   func() time.Duration

	mu     sync.Mutex
	expiry time.Time // of writes
}

// pair returns the two ends of a connection.
func (n *Network) pair() (*conn, *conn) {
	a, b := newDirection(), newDirection()
	return &conn{in: a, out: b, delay: n.delay}, &conn{in: b, out: a, delay: n.delay}
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn. It never waits.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	expired := !c.expiry.IsZero() && !time.Now().Before(c.expiry)
	c.mu.Unlock()
	if expired {
		return 0, os.ErrDeadlineExceeded
	}
	return c.out.write(p, c.delay())
}

// Close ends both directions. The other end reads what is under way, and then EOF.
func (c *conn) Close() error {
	c.out.end(c.delay())
	c.in.drop()
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return address{} }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return address{} }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.expire(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expiry = t
	return nil
}
