package intercept

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// tunnelBuffer is for one direction of a tunnel, in bytes: the size of a TLS record.
const tunnelBuffer = 16 << 10

// tunnel passes bytes between two connections, as they come.
type tunnel struct {
	near, far net.Conn
	idle      time.Duration // longest silence of both sides together
	moved     atomic.Int64  // when bytes moved last, in Unix nanoseconds
	up, down  atomic.Int64  // bytes that moved
	silent    atomic.Bool   // it ended because nobody said anything
	cut       atomic.Bool   // it was ended because the process ends
}

func newTunnel(near, far net.Conn, idle time.Duration) *tunnel {
	t := &tunnel{near: near, far: far, idle: idle}
	t.moved.Store(time.Now().UnixNano())
	return t
}

// run returns when both directions have ended, and both connections are closed.
// unread is what the near side has sent already.
func (t *tunnel) run(unread []byte) {
	defer t.close()
	if len(unread) > 0 {
		t.up.Add(int64(len(unread)))
		_ = t.far.SetWriteDeadline(time.Now().Add(t.idle))
		if _, err := t.far.Write(unread); err != nil {
			return
		}
	}
	var both sync.WaitGroup
	both.Go(func() { t.pump(t.far, t.near, &t.up) })
	both.Go(func() { t.pump(t.near, t.far, &t.down) })
	both.Wait()
}

// pump copies from one side to the other until the one has no more to say, which
// the other is told while the way back stays open, or until the tunnel is over.
func (t *tunnel) pump(to, from net.Conn, count *atomic.Int64) {
	buf := make([]byte, tunnelBuffer)
	for {
		_ = from.SetReadDeadline(time.Now().Add(t.idle))
		n, err := from.Read(buf)
		if n > 0 {
			t.moved.Store(time.Now().UnixNano())
			count.Add(int64(n))
			_ = to.SetWriteDeadline(time.Now().Add(t.idle))
			if _, err := to.Write(buf[:n]); err != nil {
				t.close()
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && t.silence() < t.idle: // the other side talks
		case errors.Is(err, io.EOF) && closeWrite(to) == nil:
			return
		default:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.silent.Store(true)
			}
			t.close()
			return
		}
	}
}

// silence is how long no bytes have moved.
func (t *tunnel) silence() time.Duration { return time.Since(time.Unix(0, t.moved.Load())) }

func (t *tunnel) close() {
	_ = t.near.Close()
	_ = t.far.Close()
}

// closeWrite tells the other end of c that nothing more is coming.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
