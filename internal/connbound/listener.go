// Package connbound bounds how many connections a listener has open. Over the bound it
// closes an idle one, so that idle connections never keep others out. A plain semaphore would
// let a hundred idle ones shut out all callers.
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
	// caller that has just connected is about to ask. While more connections wait than that
	// makes room for, it is least.
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
	scarce  func() bool         // whether only reserved descriptors are free
	holds   func(net.Conn) bool // whether a connection has a reserved one

	mu      sync.Mutex
	fresh   list.List // of *conn that have asked for nothing yet, idle for the longest first
	idle    list.List // of *conn between two requests, idle for the longest first
	busy    list.List // of *conn, busy for the longest first
	room    sync.Cond // a connection ended, or became idle, or the listener was closed
	pressed time.Time // when a connection last waited for room that the whole grace did not make
	closed  bool
}

// New bounds the connections of inner.
func New(inner net.Listener, o Options) *Listener {
	l := &Listener{Listener: inner, options: o, scarce: resources.Scarce, holds: isReserved}
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
	if l.options.Yield && l.holds(c) {
		l.yield()
	}
	if l.options.Short {
		l.makeRoomNow()
	} else {
		l.makeRoom(l.isFull, 0)
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

// take counts c, which is idle until it asks for something. It returns nil once the listener
// is closed.
func (l *Listener) take(c net.Conn) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	taken := &conn{Conn: c, in: l, list: &l.fresh, since: time.Now()}
	taken.at = l.fresh.PushBack(taken)
	return taken
}

// yieldPoll is how often it is looked whether a descriptor is free that is not reserved.
const yieldPoll = 100 * time.Millisecond

// yield waits until there is one, or the listener is closed.
func (l *Listener) yield() {
	told := false
	l.makeRoom(func() bool {
		scarce := l.scarce()
		if scarce && !told && l.options.Lack != nil {
			told = true
			l.options.Lack(syscall.EMFILE)
		}
		return scarce
	}, yieldPoll)
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
		if taken.list == &l.busy {
			l.move(taken, &l.idle)
		}
	case http.StateIdle:
		l.move(taken, &l.idle)
	case http.StateActive, http.StateHijacked:
		l.move(taken, &l.busy)
	}
}
