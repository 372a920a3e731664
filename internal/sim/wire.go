package sim

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/reply"
)

// wire is a connection taken from the HTTP server.
type wire struct {
	net.Conn
	sim *Sim
}

// takeOver takes the connection from the HTTP server, with what was written so
// far flushed. On HTTP/2 and other servers that do not give it, the stream is
// aborted instead (http.ErrAbortHandler): the nearest thing there is. A request whose
// answer was not begun gets none, or nothing that is one.
func (c *call) takeOver() *wire {
	c.answers(0)
	conn, rest, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a request without an answer
	}
	_ = conn.SetDeadline(time.Time{})
	_ = rest.Flush()
	return &wire{Conn: conn, sim: c.sim}
}

// reset ends the connection with RST: with a linger time of 0, Close discards what
// is unsent and says so to the peer. A connection without SetLinger is just closed.
func (c *call) reset() {
	conn := c.takeOver()
	lingerZero(conn.Conn)
	_ = conn.Close()
}

func lingerZero(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if l, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0)
	}
}

// hangUp closes the connection properly, whatever is missing in the answer.
func (c *call) hangUp() { _ = c.takeOver().Close() }

// raw takes the connection over and runs send on it, which Close interrupts. The
// connection is closed afterwards.
func (c *call) raw(send func(w *wire)) {
	w := c.takeOver()
	stop := context.AfterFunc(c.sim.ctx, func() { _ = w.Close() })
	send(w)
	stop()
	_ = w.Close()
}

// put writes p and reports whether the peer still takes it.
func (w *wire) put(p []byte) bool {
	_, err := w.Write(p)
	return err == nil
}

// forever writes piece again and again: at least atLeast bytes, 0 = until the peer leaves.
func (w *wire) forever(piece []byte, atLeast int) {
	piece = bytes.Repeat(piece, 1+4096/len(piece))
	for sent := 0; (atLeast == 0 || sent < atLeast) && w.put(piece); sent += len(piece) {
	}
}

// untilGone keeps the connection open until the peer closes it.
func (w *wire) untilGone() { _, _ = io.Copy(io.Discard, w) }

// head renders a status line and headers. Names are sorted, so that the bytes do
// not depend on chance.
func head(status int, h http.Header) []byte {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			fmt.Fprintf(w, "%s: %s\r\n", name, value)
		}
	}
	_, _ = w.WriteString("\r\n")
	_ = w.Flush()
	return out.Bytes()
}

// sendWrongLength sends the answer with a Content-Length that is off by delta
// bytes. One that promises too much ends with the connection; one that promises
// too little leaves bytes behind on a connection that stays open.
func (c *call) sendWrongLength(a reply.Answer, delta int) {
	h, body := c.w.Header().Clone(), a.Whole()
	h.Set("Content-Length", strconv.Itoa(max(0, len(body)+delta)))
	c.answers(a.Status)
	c.raw(func(w *wire) {
		if w.put(append(head(a.Status, h), body...)) && delta < 0 {
			w.untilGone()
		}
	})
}

// sendSlowHead sends the answer with its head in drops.
func (c *call) sendSlowHead(a reply.Answer, rule *fault.Rule) {
	h, body := c.w.Header().Clone(), a.Whole()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Connection", "close")
	c.answers(a.Status)
	c.raw(func(w *wire) {
		// The request's context ends with the takeover on some servers: a lost
		// client shows as a write error here.
		if c.dribble(head(a.Status, h), rule.Rate, 20, w.put) {
			w.put(body)
		}
	})
}
