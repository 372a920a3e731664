package firstbyte

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Conn is an accepted connection, with the bytes that were read of it to tell what
// it speaks put back. It is as safe for concurrent use as the connection in it.
type Conn struct {
	net.Conn
	target string
	token  string
	unread []byte
}

// TargetOf returns what c was a tunnel to before it was offered, host:port, or ""
// for a connection that is none of Offer's. c is as Accept returned it, or as
// tls.ClientHelloInfo has it.
func TargetOf(c net.Conn) string {
	if c := innerOf(c); c != nil {
		return c.target
	}
	return ""
}

// TokenOf returns the client token that the tunnel was opened with which c was before
// it was offered, or "". c is as for TargetOf.
func TokenOf(c net.Conn) string {
	if c := innerOf(c); c != nil {
		return c.token
	}
	return ""
}

// innerOf returns the Conn that c is, under TLS or not, or nil.
func innerOf(c net.Conn) *Conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	inner, _ := c.(*Conn)
	return inner
}

// first returns the first byte, which stays to be read.
func (c *Conn) first(patience time.Duration) (byte, error) {
	if len(c.unread) > 0 {
		return c.unread[0], nil
	}
	buf := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(patience)) // where it fails, so does reading
	if _, err := c.Conn.Read(buf); err != nil {
		return 0, err
	}
	_ = c.SetReadDeadline(time.Time{})
	c.unread = buf
	return buf[0], nil
}

// Read returns what was put back before it reads on.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// CloseWrite says that nothing more is coming and leaves the way back open, or
// returns errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn returns the connection that c reads from.
func (c *Conn) NetConn() net.Conn { return c.Conn }
