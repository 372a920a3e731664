// Package connbound bounds how many connections a listener has open. Over the bound the
// one that has been idle for the longest is closed, so that connections nobody uses never
// keep others out: to wait for room, as with a plain semaphore, would let a hundred idle
// ones shut out all callers.
package connbound

import (
	"container/list"
	"net"
	"net/http"
	"os"
	"sync"
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
	// Spare keeps one descriptor for a caller that comes when the process has no other left.
	Spare bool
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
	spare  *os.File
	closed bool
}

// New bounds the connections of inner.
func New(inner net.Listener, o Options) *Listener {
	l := &Listener{Listener: inner, options: o}
	l.room.L = &l.mu
	if o.Spare {
		l.keepSpare()
	}
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
	if !l.await() {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	return l.take(c), nil
}

// acceptAgain is Accept after it failed with err for want of a descriptor or of memory.
func (l *Listener) acceptAgain(err error) (net.Conn, error) {
	if l.relieve() {
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
	if l.spare != nil {
		_ = l.spare.Close()
		l.spare = nil
	}
	l.room.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// await waits until a connection may be taken, and reports false once the listener is closed.
func (l *Listener) await() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && l.idle.Len()+l.busy.Len() >= l.options.Most && !l.options.Short {
		grace := time.Duration(-1)
		if l.idle.Len() > 0 {
			if grace = time.Until(l.idle.Front().Value.(*conn).since.Add(l.options.Grace)); grace <= 0 {
				break
			}
		}
		l.wait(grace)
	}
	return !l.closed
}

// wait waits for a change, and no longer than for most, if that is not negative. Locked.
func (l *Listener) wait(most time.Duration) {
	if most >= 0 {
		defer time.AfterFunc(most, l.room.Broadcast).Stop()
	}
	l.room.Wait()
}

// take counts c, which is idle until it asks for something.
func (l *Listener) take(c net.Conn) net.Conn {
	l.mu.Lock()
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

// relieve gives a descriptor back for the next connection, and reports whether there was one.
func (l *Listener) relieve() bool {
	l.mu.Lock()
	spare := l.spare
	l.spare = nil
	var old *conn
	if spare == nil {
		old = l.oldest()
	}
	l.mu.Unlock()
	switch {
	case spare != nil:
		_ = spare.Close()
	case old != nil:
		_ = old.Conn.Close()
	}
	return spare != nil || old != nil
}

// keepSpare opens the spare descriptor, if it is not open. Locked, but in New.
func (l *Listener) keepSpare() {
	if l.options.Spare && l.spare == nil && !l.closed {
		l.spare, _ = os.Open(os.DevNull) // without one it is as if there had been no option
	}
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
		if taken.busy {
			l.set(taken, false)
		}
	case http.StateIdle:
		l.set(taken, false)
	case http.StateActive, http.StateHijacked:
		l.set(taken, true)
	}
}
