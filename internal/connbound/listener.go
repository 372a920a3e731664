// Package connbound bounds how many connections a listener has open. Over the bound the
// one that has been idle for the longest is closed, so that connections nobody uses never
// keep others out: to wait for room, as with a plain semaphore, would let a hundred idle
// ones shut out all callers.
package connbound

import (
	"container/list"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"outrigger/internal/resources"
)

// Options are a Listener's bounds.
type Options struct {
	// Most is how many connections may be open.
	Most int
	// Grace is how long a connection must have been idle to be closed for another one: a
	// caller that has just connected is about to ask.
	Grace time.Duration
	// Short has the oldest connection closed although it is in use, where none is idle.
	// It is for a listener that gives short answers only: what takes long there is stuck.
	// Without it further callers wait in the system's backlog until one ends.
	Short bool
	// Yield leaves the descriptors alone that are reserved for others: a connection that has
	// one of those waits until another one is free.
	Yield bool
	// Lack is told when a connection cannot be taken for want of descriptors or memory;
	// nil tells nobody.
	Lack func(err error)
}

// Listener accepts connections within its bounds. Make it with New, and make State the
// ConnState of the http.Server that serves it. It is safe for concurrent use.
type Listener struct {
	net.Listener
	options Options

	mu     sync.Mutex
	idle   list.List // of *conn, idle for the longest first; new ones are idle
	busy   list.List // of *conn, busy for the longest first
	room   sync.Cond // a connection ended, or became idle, or the listener was closed
	closed bool
}

// New bounds the connections of inner.
func New(inner net.Listener, o Options) *Listener {
	l := &Listener{Listener: inner, options: o}
	l.room.L = &l.mu
	return l
}

// Accept returns the next connection, and closes an old one for it if need be.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil && resources.Shortage(err) != "" {
		c, err = l.acceptAgain(err)
	}
	if err != nil {
		return nil, err
	}
	if l.options.Yield && isReserved(c) {
		l.yield()
	}
	taken := l.take(c)
	if taken == nil {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	return taken, nil
}

// acceptAgain is Accept after it failed with err for want of a descriptor or of memory.
func (l *Listener) acceptAgain(err error) (net.Conn, error) {
	if l.relieve() { // accept(2) tells of a lack though nobody waits
		if c, again := l.Listener.Accept(); again == nil {
			return c, nil
		}
	}
	if l.options.Lack != nil {
		l.options.Lack(err)
	}
	return nil, lacking{err}
}

// lacking is an error that passes: net/http waits before it accepts again.
type lacking struct{ error }

func (lacking) Temporary() bool { return true }
func (lacking) Timeout() bool   { return false }
func (e lacking) Unwrap() error { return e.error }

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// await waits until a connection may be taken, and reports false once the listener is closed. Locked.
func (l *Listener) await() bool {
	for !l.closed && l.idle.Len()+l.busy.Len() >= l.options.Most && !l.options.Short {
		grace := l.grace()
		if grace == 0 {
			break
		}
		l.wait(grace)
	}
	return !l.closed
}

// grace is how long the connection that has been idle for the longest stays at the least,
// negative if none is idle. Locked.
func (l *Listener) grace() time.Duration {
	l.renew()
	if l.idle.Len() == 0 {
		return -1
	}
	return max(0, time.Until(l.idle.Front().Value.(*conn).since.Add(l.options.Grace)))
}

// renew says of those that would be closed next that they are not idle, if a request has come
// that was not read yet. Locked.
func (l *Listener) renew() {
	for range l.idle.Len() {
		c := l.idle.Front().Value.(*conn)
		if time.Since(c.since) < l.options.Grace || !isPending(c.Conn) {
			return
		}
		c.since = time.Now()
		l.idle.MoveToBack(c.at)
	}
}

// wait waits for a change, and no longer than for most, if that is not negative. Locked.
func (l *Listener) wait(most time.Duration) {
	if most >= 0 {
		defer time.AfterFunc(most, l.room.Broadcast).Stop()
	}
	l.room.Wait()
}

// take waits for room for c and counts it: it is idle until it asks for something. It returns
// nil once the listener is closed.
func (l *Listener) take(c net.Conn) net.Conn {
	l.mu.Lock()
	if !l.await() {
		l.mu.Unlock()
		return nil
	}
	var old []*conn
	for l.idle.Len()+l.busy.Len() >= l.options.Most {
		o := l.oldest()
		if o == nil {
			break
		}
		old = append(old, o)
	}
	taken := &conn{Conn: c, in: l, since: time.Now()}
	taken.at = l.idle.PushBack(taken)
	l.mu.Unlock()
	for _, o := range old {
		_ = o.Conn.Close()
	}
	return taken
}

// oldest takes out the connection that is to be closed for another one, nil if there is
// none. Locked.
func (l *Listener) oldest() *conn {
	from := &l.idle
	if from.Len() == 0 {
		from = &l.busy
		if !l.options.Short || from.Len() == 0 {
			return nil
		}
	}
	c := from.Remove(from.Front()).(*conn)
	c.at = nil
	return c
}

// relieve gives the descriptor of an old connection back, and reports whether there was one.
func (l *Listener) relieve() bool {
	l.mu.Lock()
	var old *conn
	if l.options.Short || l.grace() == 0 {
		old = l.oldest()
	}
	l.mu.Unlock()
	if old != nil {
		_ = old.Conn.Close()
	}
	return old != nil
}

// yieldPoll is how often it is looked whether a descriptor is free that is not reserved.
const yieldPoll = 100 * time.Millisecond

// yield waits until there is one, or the listener is closed.
func (l *Listener) yield() {
	told := false
	for resources.Scarce() && !l.relieve() {
		if !told && l.options.Lack != nil {
			told = true
			l.options.Lack(syscall.EMFILE)
		}
		l.mu.Lock()
		closed := l.closed
		if !closed {
			l.wait(yieldPoll)
		}
		l.mu.Unlock()
		if closed {
			return
		}
	}
}

// isReserved reports whether c has a descriptor that is kept free for others.
func isReserved(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	return err == nil && resources.KeepReserve(raw) != nil
}

// State is the ConnState of the server: it tells which connections are idle.
func (l *Listener) State(c net.Conn, state http.ConnState) {
	taken := takenOf(c)
	if taken == nil || taken.in != l {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if taken.at == nil { // it is closed
		return
	}
	switch state {
	case http.StateNew: // as it was taken; or it was a tunnel, and is a caller's again
		if taken.busy.Load() {
			l.set(taken, false)
		}
	case http.StateIdle:
		l.set(taken, false)
	case http.StateActive, http.StateHijacked:
		l.set(taken, true)
	}
}
