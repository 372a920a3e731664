package connbound

import (
	"bufio"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a listener without sockets. Each dial is accepted, or the error taken that stands before it.
type wire struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
}

func newWire() *wire {
	return &wire{make(chan net.Conn, 1000), make(chan error, 100), make(chan struct{})}
}

func (w *wire) dial() net.Conn {
	near, far := net.Pipe()
	w.conns <- far
	return near
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case err := <-w.errs:
		return nil, err
	default:
	}
	select {
	case c := <-w.conns:
		return c, nil
	case err := <-w.errs:
		return nil, err
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { close(w.closed); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// serve serves l with h until the test ends.
func serve(t *testing.T, l *Listener, h http.HandlerFunc) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), ConnState: l.State, Protocols: protocols}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}

// isClosed reports whether the other side has closed c by now.
func isClosed(c net.Conn) bool {
	synctest.Wait()
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
}

// answer sends a request on c and returns the status line.
func answer(t *testing.T, c net.Conn, path string) string {
	t.Helper()
	_ = c.SetDeadline(time.Time{})
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Status
}

func ok(http.ResponseWriter, *http.Request) {}

// waits holds every request until its caller is gone.
func waits(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func begin(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func TestOverTheBoundTheOldestIdleConnectionGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		l := New(w, Options{Most: 3})
		serve(t, l, ok)
		used, silent, half := w.dial(), w.dial(), w.dial()
		synctest.Wait()
		begin(t, half, "GET / HTTP/1.1\r\nHos") // it is idle for a shorter time than the silent one
		answer(t, used, "/")                    // it is idle for the shortest time from here on
		if got := answer(t, w.dial(), "/"); got != "200 OK" {
			t.Fatalf("over the bound a caller is answered %s", got)
		}
		if !isClosed(silent) || isClosed(half) || isClosed(used) {
			t.Error("not the one that had been idle for the longest was closed")
		}
		answer(t, w.dial(), "/")
		if !isClosed(half) || isClosed(used) {
			t.Error("one that has sent half a request's head is not taken for idle")
		}
		if got := answer(t, used, "/"); got != "200 OK" {
			t.Errorf("the one that is used is answered %s", got)
		}
	})
}

func TestAConnectionInUseIsNotClosedForAnother(t *testing.T) {
	for name, preface := range map[string]string{
		"HTTP/1.1": request,
		// The preface, empty SETTINGS, and HEADERS for GET http://a/ (RFC 9113, RFC 7541).
		"HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01a",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire()
				l := New(w, Options{Most: 2})
				running := make(chan struct{}, 2)
				serve(t, l, func(w http.ResponseWriter, r *http.Request) { running <- struct{}{}; waits(w, r) })
				ask := func() net.Conn {
					c := w.dial()
					go func() { _, _ = io.Copy(io.Discard, c) }()
					go func() { _, _ = io.WriteString(c, preface) }()
					synctest.Wait()
					return c
				}
				first, second, third := ask(), ask(), ask()
				for range 2 {
					<-running
				}
				if len(running) != 0 || l.busy.Len() != 2 || l.idle.Len()+l.fresh.Len() != 0 {
					t.Errorf("%d are in use and %d idle, want 2 and one that waits", l.busy.Len(), l.idle.Len()+l.fresh.Len())
				}
				_ = first.Close()
				<-running // the third
				_ = second.Close()
				_ = third.Close()
				synctest.Wait()
				if n := l.busy.Len() + l.idle.Len() + l.fresh.Len(); n != 0 {
					t.Errorf("%d count when all are closed", n)
				}
			})
		})
	}
}

// A burst of callers over the bound: each is served in its turn, and none closed that was about
// to ask.
func TestWhoHasJustConnectedIsNotClosedForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		serve(t, New(w, Options{Most: 2, Grace: time.Second}), ok)
		callers := []net.Conn{w.dial(), w.dial(), w.dial(), w.dial()}
		time.Sleep(time.Second / 2) // they are slow to ask
		for _, c := range callers[:2] {
			if got := answer(t, c, "/"); got != "200 OK" {
				t.Errorf("answered %s", got)
			}
		}
		time.Sleep(time.Second / 2)
		if isClosed(callers[0]) || isClosed(callers[1]) {
			t.Error("one was closed that had been idle for half a second")
		}
		begun := time.Now()
		if got := answer(t, callers[2], "/"); got != "200 OK" || time.Since(begun) > time.Second {
			t.Errorf("the next is answered %s after %v", got, time.Since(begun))
		}
	})
}

// What takes long at a listener for short answers is stuck: it asks and reads nothing.
func TestWithShortAnswersTheOldestGoesEvenInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		serve(t, New(w, Options{Most: 2, Short: true}), func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stuck" {
				<-r.Context().Done()
			}
		})
		first, second := w.dial(), w.dial()
		for _, c := range []net.Conn{first, second} {
			begin(t, c, strings.Replace(request, "/", "/stuck", 1))
		}
		if got := answer(t, w.dial(), "/"); got != "200 OK" || !isClosed(first) || isClosed(second) {
			t.Errorf("over the bound a caller is answered %s", got)
		}
	})
}

func TestWithoutDescriptorsAnIdleConnectionGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		told := 0
		l := New(w, Options{Most: 10, Lack: func(error) { told++ }})
		serve(t, l, ok)
		idle := w.dial()
		synctest.Wait()
		w.errs <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		next := w.dial()
		if got := answer(t, next, "/"); got != "200 OK" || !isClosed(idle) || told != 0 {
			t.Errorf("a caller is answered %s, and the log told %d times", got, told)
		}
	})
}

// net/http gives up a listener whose error does not pass by itself.
func TestALackOfResourcesIsWaitedOutAndDoesNotSpin(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire()
			told := 0
			l := New(w, Options{Most: 10, Lack: func(error) { told++ }})
			serve(t, l, ok)
			begun := time.Now()
			for range 10 {
				w.errs <- &net.OpError{Op: "accept", Err: errno}
			}
			if got := answer(t, w.dial(), "/"); got != "200 OK" || told < 9 {
				t.Errorf("%v: answered %s, told %d times", errno, got, told)
			}
			if took := time.Since(begun); took < 2*time.Second {
				t.Errorf("%v: ten failures in %v: it spins", errno, took)
			}
		})
	}
}

func TestAnotherErrorIsPassedOn(t *testing.T) {
	w := newWire()
	w.errs <- io.ErrUnexpectedEOF
	if _, err := New(w, Options{Most: 1}).Accept(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestClosingEndsTheWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		l := New(w, Options{Most: 1})
		w.dial()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		l.State(c, http.StateActive)
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		synctest.Wait()
		_ = l.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		_ = c.Close()
		_ = c.Close()
	})
}

// A busy machine takes a while to read what has come: nobody is idle meanwhile.
func TestAConnectionWithAnUnreadRequestIsNotIdle(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, Options{Most: 2})
	defer l.Close()
	dial := func(text string) (net.Conn, net.Conn) {
		near, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = near.Close() })
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(near, text); err != nil {
			t.Fatal(err)
		}
		for text != "" && !isPending(far.(*conn).Conn) {
		}
		return near, far
	}
	_, asking := dial(request)
	silent, _ := dial("")
	dial("") // has one of the two closed
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the silent one is open")
	}
	if got := make([]byte, len(request)); true {
		if _, err := io.ReadFull(asking, got); err != nil || string(got) != request {
			t.Errorf("the request that had come reads %q, %v", got, err)
		}
	}
}
