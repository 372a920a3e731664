package firstbyte

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Options are a Listener's bounds and what it answers TLS with. All are needed.
type Options struct {
	// Patience is how long a caller may take to send its first byte.
	Patience time.Duration
	// TLS is for connections that begin with a TLS record.
	TLS *tls.Config
}

// Listener accepts TLS and cleartext connections. Make it with New. It is safe
// for concurrent use.
type Listener struct {
	inner   net.Listener
	options Options
	ready   chan accepted
	done    chan struct{} // closed by Close
	tasks   sync.WaitGroup

	mu     sync.Mutex
	silent map[*Conn]struct{} // nil once the listener is closed
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// New accepts connections from inner until the Listener is closed, which closes
// inner too.
func New(inner net.Listener, o Options) *Listener {
	l := &Listener{
		inner: inner, options: o, ready: make(chan accepted),
		done: make(chan struct{}), silent: map[*Conn]struct{}{},
	}
	l.tasks.Go(l.acceptAll)
	return l
}

// Accept returns the next connection whose first byte has come: a *tls.Conn, whose
// handshake is yet to be made, over a *Conn, or a *Conn. Its error is the inner
// listener's, or net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr returns the inner listener's address.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close stops accepting, closes the connections that Accept has not returned, and
// waits for the goroutines that saw to them.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.silent == nil {
		l.mu.Unlock()
		return nil
	}
	close(l.done)
	err := l.inner.Close()
	for c := range l.silent {
		_ = c.Close()
	}
	l.silent = nil
	l.mu.Unlock()
	l.tasks.Wait()
	return err
}

// Offer has Accept return c as if it had just been accepted: what was a tunnel to
// target is a caller's connection from now on. The listener owns c; once it is
// closed, so is c. token is the client token it was opened with, and unread what the
// caller has sent already.
func (l *Listener) Offer(c net.Conn, target, token string, unread []byte) {
	l.await(&Conn{Conn: c, target: target, token: token, unread: unread})
}

// acceptAll takes connections until the listener is closed.
func (l *Listener) acceptAll() {
	for {
		c, err := l.inner.Accept()
		if err == nil {
			l.await(&Conn{Conn: c})
			continue
		}
		if !l.hand(accepted{err: err}) || errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// await hands c over once its first byte is there.
func (l *Listener) await(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent == nil {
		_ = c.Close()
		return
	}
	l.silent[c] = struct{}{}
	l.tasks.Go(func() {
		first, err := c.first(l.options.Patience)
		l.mu.Lock()
		delete(l.silent, c)
		l.mu.Unlock()
		if err != nil || !l.hand(accepted{conn: l.speaking(c, first)}) {
			_ = c.Close()
		}
	})
}

// recordHandshake is the type of the record that a TLS connection begins with.
const recordHandshake = 22

// speaking returns c as its first byte has it.
func (l *Listener) speaking(c *Conn, first byte) net.Conn {
	if first == recordHandshake {
		return tls.Server(c, l.options.TLS)
	}
	return c
}

// hand gives a to Accept, and reports false when nobody will call it again.
func (l *Listener) hand(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.done:
		return false
	}
}
