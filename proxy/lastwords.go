package proxy

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

// hearing is a connection on which a write that the server no longer takes fails
// only after its last words were read. A server that refuses a long body answers
// and closes; net/http.Transport drops that answer when it sees the failed write
// first, and a refusal would look like a lost answer.
type hearing struct {
	net.Conn
	once sync.Once
	over chan struct{} // closed when nothing more will be read
	cut  atomic.Bool   // the server ended it, or the network did
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// heard makes the connections of dial hearing ones.
func heard(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &hearing{Conn: conn, over: make(chan struct{})}, nil
	}
}

// Read implements net.Conn.
func (c *hearing) Read(p []byte) (int, error) {
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
func (c *hearing) Write(p []byte) (int, error) {
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
func (c *hearing) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// hearingOf returns what is under c, nil if there is no such connection.
func hearingOf(c net.Conn) *hearing {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	h, _ := c.(*hearing)
	return h
}

// wasCut reports whether it ended before the transport ended it. There need be no connection.
func (c *hearing) wasCut() bool { return c != nil && c.cut.Load() }

// Close implements net.Conn.
func (c *hearing) Close() error {
	c.ended()
	return c.Conn.Close()
}

func (c *hearing) ended() { c.once.Do(func() { close(c.over) }) }
