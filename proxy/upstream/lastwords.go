package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lastWords is how long an answer may take to be read from a connection that
// takes no more of the request.
const lastWords = time.Second

// Late is a connection on which a write that the server no longer takes fails
// only after the late response was read. A server that refuses a long body answers
// and closes; net/http.Transport drops that answer when it sees the failed write
// first, and a refusal would look like a lost answer.
type Late struct {
	net.Conn
	once sync.Once
	over chan struct{} // closed when nothing more will be read
	cut  atomic.Bool   // the server ended it, or the network did
}

// Dialer connects to an address, as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// heard makes the connections of dial hearing ones.
func heard(dial Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &Late{Conn: conn, over: make(chan struct{})}, nil
	}
}

// Read implements net.Conn.
func (c *Late) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		if !errors.Is(err, net.ErrClosed) {
			c.cut.Store(true)
		}
		c.ended()
	}
	return n, err
}

// Write implements net.Conn.
func (c *Late) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-c.over:
		case <-timer.C:
		}
	}
	return n, err
}

// CloseWrite ends what is written, for a tunnel. It fails on a connection that has no half.
func (c *Late) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// HearingOf returns what is under c, nil if there is no such connection.
func HearingOf(c net.Conn) *Late {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	h, _ := c.(*Late)
	return h
}

// WasCut reports whether it ended before the transport ended it. There need be no connection.
func (c *Late) WasCut() bool { return c != nil && c.cut.Load() }

// Close implements net.Conn.
func (c *Late) Close() error {
	c.ended()
	return c.Conn.Close()
}

func (c *Late) ended() { c.once.Do(func() { close(c.over) }) }
