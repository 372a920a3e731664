package relay

import (
	"math/rand/v2"
	"net"
	"time"
)

// strike lets a fault happen, and reports whether its direction goes on.
func (l *link) strike(k Kind) bool {
	l.relay.counts(k)
	switch k {
	case ResetRequest, ResetAnswer:
		l.reset()
		return false
	case CloseRequest, CloseAnswer, DropRequest, CloseSent:
		l.close()
		return false
	case SwallowRequest:
		l.swallow(up)
	case SwallowAnswer:
		l.swallow(down)
	case HalfNear:
		l.swallow(down)
		_ = l.near.CloseWrite()
	case HalfFar:
		_ = l.far.CloseWrite()
	case Garbage:
		l.mu.Lock()
		p := noise(l.random)
		l.mu.Unlock()
		_, _ = l.near.Write(p)
		l.close()
		return false
	case Stall:
		return l.pause(200*time.Millisecond + l.upTo(1300*time.Millisecond))
	}
	return true
}

// forward sends p on as the weather lets it, and reports whether it could.
func (l *link) forward(d direction, dst *net.TCPConn, p []byte) bool {
	for len(p) > 0 {
		if l.swallowed(d) {
			return true
		}
		w := l.relay.weather.Load()
		piece := p
		if w.Piece > 0 && len(piece) > w.Piece {
			piece = piece[:w.Piece]
		}
		wait := w.Latency + l.upTo(w.Jitter)
		if w.Rate > 0 {
			wait += time.Duration(len(piece)) * time.Second / time.Duration(w.Rate)
		}
		if !l.pause(wait) {
			return false
		}
		if _, err := dst.Write(piece); err != nil {
			l.reset()
			return false
		}
		p = p[len(piece):]
	}
	return true
}

// pause waits, and reports false when the link was closed meanwhile.
func (l *link) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closed:
		return false
	}
}

func (l *link) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.random.Int64N(int64(d)))
}

// noise is bytes that are no HTTP.
func noise(random *rand.Rand) []byte {
	var p []byte
	for range 1 + random.IntN(200) {
		p = append(p, byte(128+random.IntN(128)))
	}
	if random.IntN(2) == 0 {
		p = append(p, "\r\n\r\n"...)
	}
	return p
}
