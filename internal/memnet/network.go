package memnet

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"
)

// Latency is how long bytes take one way: OneWay and up to Jitter more, drawn evenly
// from a source that Seed decides. The zero value is none.
type Latency struct {
	OneWay, Jitter time.Duration
	Seed           uint64
}

// Network is a net.Listener and the way to it. It is safe for concurrent use. Make
// it with New.
type Network struct {
	latency Latency
	conns   chan net.Conn
	done    chan struct{}
	once    sync.Once

	mu  sync.Mutex
	rnd *rand.Rand
}

// New returns a network with one listener, which is open.
func New(l Latency) *Network {
	return &Network{
		latency: l, conns: make(chan net.Conn), done: make(chan struct{}),
		rnd: rand.New(rand.NewPCG(l.Seed, 1)),
	}
}

// delay draws how long something takes one way.
func (n *Network) delay() time.Duration {
	if n.latency.Jitter <= 0 {
		return n.latency.OneWay
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.latency.OneWay + time.Duration(n.rnd.Int64N(int64(n.latency.Jitter)))
}

// Dial connects to the listener, whatever the address. Once that is closed, the
// error is a *net.OpError with ECONNREFUSED, after the same round trip.
func (n *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if d := n.delay() + n.delay(); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	near, far := n.pair()
	select {
	case n.conns <- far:
		return near, nil
	case <-n.done:
		return nil, &net.OpError{Op: "dial", Net: "mem", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listening; connections stay. It implements net.Listener.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

// Addr returns a loopback address, so that servers treat callers as local.
func (n *Network) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "mem" }
func (address) String() string  { return "127.0.0.1:8383" }
