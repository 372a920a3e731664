package intercept

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pair returns both ends of a connection. Half of it can be closed, which net.Pipe's
// cannot.
func pair() (net.Conn, net.Conn) {
	aRead, bWrite := net.Pipe()
	bRead, aWrite := net.Pipe()
	return &end{aRead, aWrite}, &end{bRead, bWrite}
}

// end reads from one pipe and writes to another one.
type end struct {
	net.Conn
	out net.Conn
}

func (e *end) Write(p []byte) (int, error)        { return e.out.Write(p) }
func (e *end) CloseWrite() error                  { return e.out.Close() }
func (e *end) SetWriteDeadline(t time.Time) error { return e.out.SetWriteDeadline(t) }

func (e *end) Close() error {
	_ = e.out.Close()
	return e.Conn.Close()
}

// dug is a tunnel that runs, and the ends of the two who talk through it.
type dug struct {
	*tunnel
	app, host net.Conn
	over      chan struct{}
}

func dig(unread string) *dug {
	app, near := pair()
	host, far := pair()
	d := &dug{newTunnel(near, far, tunnelIdle), app, host, make(chan struct{})}
	go func() {
		d.run([]byte(unread))
		close(d.over)
	}()
	return d
}

func TestATunnelPassesBytesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dig("hel")
		long := strings.Repeat("0123456789", 10_000)
		go func() {
			_, _ = io.WriteString(d.app, "lo "+long)
			_ = d.app.(*end).CloseWrite()
		}()
		if got, err := io.ReadAll(d.host); string(got) != "hello "+long || err != nil {
			t.Errorf("the host read %d bytes, %v", len(got), err)
		}
		time.Sleep(tunnelIdle - time.Second) // half closed, it lives on
		go func() {
			_, _ = io.WriteString(d.host, "answer")
			_ = d.host.Close()
		}()
		if got, err := io.ReadAll(d.app); string(got) != "answer" || err != nil {
			t.Errorf("the app read %q, %v", got, err)
		}
		<-d.over
		if up, down := d.up.Load(), d.down.Load(); up != 100_006 || down != 6 || d.silent.Load() {
			t.Errorf("%d bytes up, %d down, silent %v", up, down, d.silent.Load())
		}
	})
}

func TestASilentTunnelEnds(t *testing.T) {
	for name, closed := range map[string]bool{"open": false, "half closed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, start := dig(""), time.Now()
				go func() { _, _ = io.Copy(io.Discard, d.app) }()
				if closed {
					_ = d.app.(*end).CloseWrite()
				}
				for range 3 { // one side's talk keeps it up
					time.Sleep(tunnelIdle - time.Second)
					_, _ = io.WriteString(d.host, "x")
				}
				last := time.Since(start)
				<-d.over
				if silence := time.Since(start) - last; silence < tunnelIdle || silence > 2*tunnelIdle || !d.silent.Load() {
					t.Errorf("it ended after %v of silence, silent %v", silence, d.silent.Load())
				}
			})
		})
	}
}

func TestATunnelEndsWhenASideBreaks(t *testing.T) {
	for name, side := range map[string]func(*dug) net.Conn{
		"the app":  func(d *dug) net.Conn { return d.app },
		"the host": func(d *dug) net.Conn { return d.host },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dig("")
				other := d.app
				if side(d) == d.app {
					other = d.host
				}
				_ = side(d).Close()
				if _, err := other.Write([]byte("x")); err == nil {
					_, _ = other.Write([]byte("x")) // the first one may have been on its way
				}
				_ = other.Close()
				<-d.over
			})
		})
	}
}

func TestASideThatTakesNothingEndsTheTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dig("")
		start := time.Now()
		go func() { _, _ = io.Copy(d.host, neverEnding{}) }()
		<-d.over
		if took := time.Since(start); took != tunnelIdle {
			t.Errorf("it ended after %v", took)
		}
	})
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestADrainWaitsForTunnelsInWhichBytesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &tunnels{open: map[*tunnel]struct{}{}}
		var digs []*dug
		for range 3 {
			if !all.room() {
				t.Fatal("no room")
			}
			d := dig("")
			digs = append(digs, d)
			all.add(d.tunnel)
			go func() {
				<-d.over
				all.remove(d.tunnel)
			}()
		}
		if !all.room() {
			t.Fatal("no room")
		}
		if got := all.busy(); got != 4 {
			t.Errorf("%d at the start, want all, the one that is dialled too", got)
		}
		all.giveUp()
		time.Sleep(busy)
		go func() { _, _ = io.Copy(io.Discard, digs[0].host) }()
		_, _ = io.WriteString(digs[0].app, "x")
		synctest.Wait() // a byte is noted after it was taken
		if got := all.busy(); got != 1 || all.count() != 3 {
			t.Errorf("%d of %d after some silence, want the one", got, all.count())
		}
		all.end()
		all.tasks.Wait()
		if all.count() != 0 || all.room() {
			t.Errorf("%d are left, or there is room", all.count())
		}
	})
}

func TestTunnelsAreBounded(t *testing.T) {
	all := &tunnels{open: map[*tunnel]struct{}{}}
	for range maxTunnels {
		if !all.room() {
			t.Fatal("no room")
		}
	}
	if all.room() {
		t.Error("room for one more than may be")
	}
	all.giveUp()
	if !all.room() {
		t.Error("no room for the one that was given up")
	}
}
