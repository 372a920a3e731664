package relay

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// chunk is how much is read at once.
const chunk = 16 << 10

// dialTime bounds the connecting to the far side, which is near in truth.
const dialTime = 5 * time.Second

// link is one connection, of two halves.
type link struct {
	relay     *Relay
	near, far *net.TCPConn
	closed    chan struct{}
	once      sync.Once

	mu       sync.Mutex
	random   *rand.Rand
	turn     direction // whose bytes came last
	begun    bool      // an exchange has
	fault    Kind      // of the present exchange, "" once it has struck
	left     int       // bytes of its direction until it strikes
	swallows [2]bool   // by direction: nothing of it is forwarded any more
}

func (l *link) run() {
	k := l.relay.weather.Load().draw(l.random, true)
	if k != "" {
		l.relay.counts(k)
	}
	switch k {
	case Refuse:
		_ = l.near.SetLinger(0)
		return
	case Ignore:
		_, _ = io.Copy(io.Discard, l.near)
		return
	case Unasked:
		_, _ = l.near.Write(noise(l.random))
	}
	ctx, cancel := context.WithTimeout(l.relay.over, dialTime)
	far, err := new(net.Dialer).DialContext(ctx, "tcp", l.relay.far)
	cancel()
	if err != nil {
		_ = l.near.SetLinger(0)
		return
	}
	l.mu.Lock()
	l.far = far.(*net.TCPConn) //nolint:forcetypeassert // tcp
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.pump(down, l.far, l.near) })
	l.pump(up, l.near, l.far)
	both.Wait()
}

// pump forwards one direction to its end, and then tells the other side of it.
func (l *link) pump(d direction, src, dst *net.TCPConn) {
	buf := make([]byte, chunk)
	for {
		n, err := src.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			piece, k := l.take(d, rest)
			rest = rest[len(piece):]
			if !l.forward(d, dst, piece) || k != "" && !l.strike(k) {
				return
			}
		}
		if errors.Is(err, io.EOF) {
			if !l.swallowed(d) {
				_ = dst.CloseWrite()
			}
			if d == up { // who connected has gone, and waits for nothing
				l.close()
			}
			return
		}
		if err != nil {
			l.reset()
			return
		}
	}
}

// take returns as much of p as passes before a fault strikes, and that fault.
func (l *link) take(d direction, p []byte) ([]byte, Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d == up && (l.turn == down || !l.begun) {
		l.fault = l.relay.weather.Load().draw(l.random, false)
		l.left = offset(l.fault, l.random)
		if l.fault == CloseSent {
			l.left = len(p)
		}
	}
	l.turn, l.begun = d, true
	if l.fault == "" || l.fault.strikes() != d || l.left > len(p) {
		if l.fault != "" && l.fault.strikes() == d {
			l.left -= len(p)
		}
		return p, ""
	}
	k := l.fault
	l.fault = ""
	if k == DropRequest {
		l.swallows[up] = true
		return p, k
	}
	return p[:l.left], k
}

// offset is after how many bytes of its direction a fault strikes: in the head, or near it, or further on.
func offset(k Kind, random *rand.Rand) int {
	switch {
	case k == Garbage || k == DropRequest:
		return 0
	case random.IntN(2) == 0:
		return random.IntN(400)
	case random.IntN(3) > 0:
		return random.IntN(4000)
	default:
		return random.IntN(100_000)
	}
}

func (l *link) swallowed(d direction) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.swallows[d]
}

func (l *link) swallow(d direction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.swallows[d] = true
}

// reset ends both sides with RST.
func (l *link) reset() {
	l.mu.Lock()
	far := l.far
	l.mu.Unlock()
	_ = l.near.SetLinger(0)
	if far != nil {
		_ = far.SetLinger(0)
	}
	l.close()
}

// close ends both sides.
func (l *link) close() {
	l.once.Do(func() { close(l.closed) })
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.near.Close()
	if l.far != nil {
		_ = l.far.Close()
	}
}
