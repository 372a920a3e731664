package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/wsframe"
)

// ErrTunnelled is what Carry returns when a tunnel is over: nothing is left to answer.
var ErrTunnelled = errors.New("the connection became a tunnel, and is over")

// partingTime is how long both sides of a tunnel have to say what they still have to
// say, once one of them broke off or a drain ends it.
const partingTime = 500 * time.Millisecond

// side is one end of a tunnel, or Outrigger itself.
type side uint8

const (
	nobody side = iota
	caller
	upstreamSide
	draining
)

// tunnel carries the bytes of a WebSocket both ways until both directions have ended.
//
// httputil.ReverseProxy has one too. That one closes both connections at the first
// failed write, and with it what the other side said last: its Close frame.
type tunnel struct {
	Ends
	caller   net.Conn
	upstream io.ReadWriteCloser
	up, down flow
	began    time.Time

	mu    sync.Mutex
	first side   // who ended it
	clean bool   // by an end, not a failure
	why   string // it did, as the log has it
	timer *time.Timer
	half  bool // one direction has ended: silence ends the other
}

// Ends is what a tunnel needs of the request that it belongs to.
type Ends struct {
	ID       string // of the request
	Lane     string // name of the upstream
	Ctx      context.Context
	Record   *call.Result
	Recorder observe.Recorder
	Idle     time.Duration // how long a side may take nothing, and a half-closed tunnel be silent; 0 is no bound
	Host     tunnelHost
}

// tunnelHost is the run's side of a tunnel.
type tunnelHost interface {
	// BrokeOff tells the breakers that the tunnel broke off.
	BrokeOff()
	// Finish ends the attempt.
	Finish()
}

// Carry takes the caller's connection over from the server and returns ErrTunnelled
// when all is over, or another error if it could not begin.
func Carry(w http.ResponseWriter, resp *http.Response, ends Ends) error {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	early, _ := buffered.Peek(buffered.Reader.Buffered())
	t := &tunnel{Ends: ends, began: time.Now(), caller: conn, upstream: resp.Body.(io.ReadWriteCloser)}
	t.up = flow{t: t, from: t.caller, to: t.upstream, sender: caller, receiver: upstreamSide, frames: wsframe.Watcher{Masked: true}}
	t.down = flow{t: t, from: t.upstream, to: t.caller, sender: upstreamSide, receiver: caller}
	t.Recorder.Begin(observe.SpanStream, t.Lane)
	head := *resp
	head.Body = nil
	if t.Idle > 0 {
		_ = conn.SetWriteDeadline(time.Now().Add(t.Idle))
	}
	if err := errors.Join(head.Write(buffered), buffered.Flush()); err != nil {
		t.end(caller, false, call.ReasonLost)
		t.close()
	}
	_ = conn.SetWriteDeadline(time.Time{})
	t.run(append([]byte(nil), early...))
	return ErrTunnelled
}

// run returns when both directions have ended.
func (t *tunnel) run(early []byte) {
	stop := context.AfterFunc(t.Ctx, t.drain)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() {
			if v := recover(); v != nil {
				observe.Survived(t.Recorder, "tunnel", v)
				t.close()
			}
		}()
		t.up.run(early)
	}()
	t.down.run(nil)
	<-over
	stop()
	t.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.finish()
}

// end notes who ended the tunnel first, and how.
func (t *tunnel) end(by side, clean bool, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == nobody {
		t.first, t.clean, t.why = by, clean, why
	}
}

// within ends the tunnel after d, if it does not end sooner.
func (t *tunnel) within(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.timer != nil && !t.half:
		return
	case t.timer != nil:
		t.timer.Stop()
	}
	t.half, t.timer = false, time.AfterFunc(d, t.close)
}

// halfClosed bounds the silence of the direction that goes on.
func (t *tunnel) halfClosed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil && t.Idle > 0 {
		t.half, t.timer = true, time.AfterFunc(t.Idle, t.close)
	}
}

// alive says that something came.
func (t *tunnel) alive() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.half {
		t.timer.Reset(t.Idle)
	}
}

// close ends both connections, and with them both flows.
func (t *tunnel) close() {
	_ = t.caller.Close()
	_ = t.upstream.Close()
}

// drain ends the tunnel because Outrigger stops: the caller is told by a Close frame
// if one fits in before partingTime is over.
func (t *tunnel) drain() {
	t.end(draining, false, call.ReasonShutdown)
	t.within(partingTime)
	t.down.part(wsframe.Close(wsframe.ServiceRestart, "Outrigger is shutting down"))
}
