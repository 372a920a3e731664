package redisserver

import (
	"context"
	"net"
	"sync"
	"testing"
)

// Link is a way to an address that can be cut: then it takes connections and bytes as
// before and passes nothing on, as a network does that drops packets. Safe for
// concurrent use.
type Link struct {
	// Addr is where the link listens.
	Addr string

	to   string
	ctx  context.Context // the test's
	mu   sync.Mutex
	open *sync.Cond
	cut  bool
	over bool
	ends map[net.Conn]bool
	all  sync.WaitGroup
}

// NewLink returns a link to an address that ends with the test.
func NewLink(tb testing.TB, to string) *Link {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := &Link{Addr: listener.Addr().String(), to: to, ctx: tb.Context(), ends: make(map[net.Conn]bool)}
	l.open = sync.NewCond(&l.mu)
	l.all.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			l.all.Go(func() { l.carry(from) })
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		l.finish()
		l.all.Wait()
	})
	return l
}

// Cut makes the link drop everything.
func (l *Link) Cut() { l.set(true) }

// Mend makes it pass on everything again, also what was sent meanwhile, as TCP would.
func (l *Link) Mend() { l.set(false) }

func (l *Link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	l.open.Broadcast()
}

// finish ends all connections.
func (l *Link) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for end := range l.ends {
		_ = end.Close()
	}
	l.open.Broadcast()
}

// wait returns once the link is not cut, and reports whether it still exists.
func (l *Link) wait() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.cut && !l.over {
		l.open.Wait()
	}
	return !l.over
}

// hold notes connections that finish closes, or reports that it is too late.
func (l *Link) hold(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range ends {
		l.ends[end] = true
	}
	return !l.over
}

// carry carries the bytes of one connection.
func (l *Link) carry(from net.Conn) {
	defer func() { _ = from.Close() }()
	if !l.hold(from) || !l.wait() {
		return
	}
	to, err := new(net.Dialer).DialContext(l.ctx, "tcp", l.to)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	if !l.hold(to) {
		return
	}
	l.all.Go(func() { l.copy(to, from) })
	l.copy(from, to)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, from)
	delete(l.ends, to)
}

// copy passes bytes on in one direction.
func (l *Link) copy(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !l.wait() {
			return
		}
		if _, broken := to.Write(buffer[:n]); broken != nil || err != nil {
			return
		}
	}
}
