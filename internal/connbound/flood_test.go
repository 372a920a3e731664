package connbound

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const (
	most  = 44 // what 128 descriptors allow
	grace = time.Second / 2
)

// flood dials n connections, and speaks on each in the background.
func flood(t *testing.T, w *wire, n int, speak func(*testing.T, net.Conn)) {
	t.Helper()
	for range n {
		c := w.dial()
		t.Cleanup(func() { _ = c.Close() })
		go func() { _, _ = io.Copy(io.Discard, c) }()
		go speak(t, c)
	}
}

func silent(*testing.T, net.Conn) {}

// says writes text, and then text again now and then for as long as the connection is open.
func says(text string, every time.Duration) func(*testing.T, net.Conn) {
	return func(t *testing.T, c net.Conn) {
		for {
			if _, err := io.WriteString(c, text); err != nil || every == 0 {
				return
			}
			select {
			case <-time.After(every):
			case <-t.Context().Done():
				return
			}
		}
	}
}

func TestAFloodOfIdleConnectionsKeepsNoCallerWaiting(t *testing.T) {
	for name, tt := range map[string]struct {
		speak  func(*testing.T, net.Conn)
		within time.Duration
	}{
		"silent":                    {silent, time.Second},
		"half a head":               {says("GET / HTTP/1.1\r\nHo", 0), time.Second},
		"answered once":             {says(request, 0), time.Second},
		"half a head after another": {says(request+"GET / HT", 0), time.Second},
		"a preface of HTTP/2":       {says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 0), time.Second},
		"byte for byte":             {says("A", 40*time.Millisecond), 5 * time.Second}, // until mostReads are over
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire()
				running := make(chan struct{}, 3)
				l := New(w, Options{Most: most, Grace: grace})
				serve(t, l, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/stays" {
						running <- struct{}{}
						waits(w, r)
					}
				})
				stays := make([]net.Conn, 3)
				for i := range stays {
					stays[i] = w.dial()
					begin(t, stays[i], "GET /stays HTTP/1.1\r\nHost: a\r\n\r\n")
					<-running
				}
				flood(t, w, 300, tt.speak)
				begun := time.Now()
				if got := answer(t, w.dial(), "/"); got != "200 OK" {
					t.Errorf("answered %s", got)
				}
				if took := time.Since(begun); took > tt.within {
					t.Errorf("answered after %v, want at most %v", took, tt.within)
				}
				for i, c := range stays {
					if isClosed(c) {
						t.Errorf("connection %d in use was closed", i)
					}
				}
			})
		})
	}
}

// A handshake, and a head in parts, take several reads. They end in a flood, too.
func TestACallerThatSendsInPartsIsServedInAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		serve(t, New(w, Options{Most: most, Grace: grace}), ok)
		flood(t, w, 300, silent)
		slow := w.dial()
		flood(t, w, 300, silent)
		for _, part := range []string{"GET / HTTP/1.1\r\n", "Host: a\r\n", "A: b\r\n", "C: d\r\n"} {
			begin(t, slow, part)
			time.Sleep(least - 10*time.Millisecond)
		}
		begin(t, slow, "\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	})
}

func TestWhoNeverAskedGoesBeforeWhoWasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		serve(t, New(w, Options{Most: 3, Grace: grace}), ok)
		used := w.dial()
		answer(t, used, "/")
		first, second := w.dial(), w.dial()
		time.Sleep(grace)
		answer(t, w.dial(), "/")
		if !isClosed(first) || isClosed(second) || isClosed(used) {
			t.Error("one that has been answered was closed, or one that is younger")
		}
	})
}

// Callers whose connections are new are not closed for one another where others have long been idle.
func TestWhoHasLongBeenIdleGoesBeforeWhoHasJustConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		serve(t, New(w, Options{Most: 2, Grace: grace}), ok)
		used := w.dial()
		answer(t, used, "/")
		time.Sleep(grace)
		fresh := w.dial()
		begun := time.Now()
		answer(t, w.dial(), "/")
		if took := time.Since(begun); took != 0 || !isClosed(used) || isClosed(fresh) {
			t.Errorf("the new one went, or one waited for %v", took)
		}
	})
}

func TestAfterAFloodACallerMayTakeItsTimeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		l := New(w, Options{Most: most, Grace: grace})
		serve(t, l, ok)
		flood(t, w, 300, silent)
		answer(t, w.dial(), "/")
		l.mu.Lock()
		if !l.isPressed() {
			t.Error("a flood does not press")
		}
		l.mu.Unlock()
		time.Sleep(2 * grace)
		callers := make([]net.Conn, most+1)
		for i := range callers {
			callers[i] = w.dial()
		}
		time.Sleep(grace - 10*time.Millisecond)
		if slices.ContainsFunc(callers[:most], isClosed) {
			t.Error("one was closed that had just connected")
		}
	})
}

func TestAReservedDescriptorIsHeldBackUntilAnotherOneIsFree(t *testing.T) {
	for name, idle := range map[string]bool{"one is idle": true, "all are in use": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, told := newWire(), 0
				l := New(w, Options{Most: most, Grace: grace, Yield: true, Lack: func(error) { told++ }})
				scarce := true
				free := time.Now().Add(5 * time.Second)
				l.holds = func(net.Conn) bool { return scarce }
				l.scarce = func() bool { return time.Now().Before(free) }
				serve(t, l, ok)
				scarce = false
				first := w.dial()
				if !idle {
					begin(t, first, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
				}
				synctest.Wait()
				scarce = true
				begun := time.Now()
				if got := answer(t, w.dial(), "/"); got != "200 OK" || told != 1 {
					t.Errorf("answered %s, and the log told %d times", got, told)
				}
				took := time.Since(begun)
				if idle && (took != grace || !isClosed(first)) || !idle && (took != 5*time.Second || isClosed(first)) {
					t.Errorf("answered after %v; the other is closed: %v", took, isClosed(first))
				}
			})
		})
	}
}

// Others' descriptors are not callers': those who wait for one are let go with the listener.
func TestClosingEndsTheWaitForADescriptor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		l := New(w, Options{Most: most, Yield: true})
		l.holds, l.scarce = func(net.Conn) bool { return true }, func() bool { return true }
		near := w.dial()
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		synctest.Wait()
		_ = l.Close()
		if err := <-ended; err == nil || !isClosed(near) {
			t.Errorf("got %v", err)
		}
	})
}
