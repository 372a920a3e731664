package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/upstream"
)

// scripted is a connection whose reads and writes a test decides.
type scripted struct {
	net.Conn
	reads  chan []byte // closed: reset
	writes error
}

func (c *scripted) Read(p []byte) (int, error) {
	b, ok := <-c.reads
	if !ok {
		return 0, syscall.ECONNRESET
	}
	return copy(p, b), nil
}

func (c *scripted) Write([]byte) (int, error) { return 0, c.writes }
func (c *scripted) Close() error              { return nil }

func TestAFailedWriteWaitsForTheLastWords(t *testing.T) {
	tests := map[string]struct {
		write error
		act   func(net.Conn, *scripted) // 100 ms after the write began
		want  time.Duration
	}{
		"until reading ends": {syscall.ECONNRESET, func(c net.Conn, s *scripted) {
			close(s.reads)
			_, _ = c.Read(make([]byte, 1))
		}, 100 * time.Millisecond},
		"until it is closed":             {syscall.EPIPE, func(c net.Conn, _ *scripted) { _ = c.Close() }, 100 * time.Millisecond},
		"no longer than a second":        {syscall.EPIPE, func(net.Conn, *scripted) {}, upstream.LastWords},
		"not for other errors":           {net.ErrClosed, func(net.Conn, *scripted) {}, 0},
		"not when all went well":         {nil, func(net.Conn, *scripted) {}, 0},
		"through bytes that are read":    {syscall.ECONNRESET, func(c net.Conn, s *scripted) { s.reads <- []byte("x"); _, _ = c.Read(make([]byte, 1)) }, upstream.LastWords},
		"closed twice is closed as well": {syscall.EPIPE, func(c net.Conn, _ *scripted) { _ = c.Close(); _ = c.Close() }, 100 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{reads: make(chan []byte, 1), writes: tt.write}
				conn, err := upstream.Heard(func(context.Context, string, string) (net.Conn, error) { return s, nil })(t.Context(), "tcp", "a:1")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				time.AfterFunc(100*time.Millisecond, func() { tt.act(conn, s) })
				_, err = conn.Write([]byte("body"))
				if took := time.Since(began); took != tt.want || !errors.Is(err, tt.write) {
					t.Errorf("Write returned %v after %v, want %v after %v", err, took, tt.write, tt.want)
				}
				time.Sleep(upstream.LastWords) // act
			})
		})
	}
}

func TestADialThatFailsMakesNoConnection(t *testing.T) {
	conn, err := upstream.Heard(func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF })(t.Context(), "tcp", "a:1")
	if conn != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, %v", conn, err)
	}
}

// TestARefusalThatCutsALongBodyIsAnAnswer: the upstream answers in the middle of a
// body and closes at once, which resets the connection under the rest.
func TestARefusalThatCutsALongBodyIsAnAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				from := bufio.NewReaderSize(conn, 4096)
				_, _ = http.ReadRequest(from)
				_, _ = io.CopyN(io.Discard, from, 1<<20) // the writer fills the buffers meanwhile
				_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
				_ = conn.Close() // with bytes unread: RST
			}()
		}
	}()
	g := newRigAt(t, "http://"+listener.Addr().String())
	for range 15 {
		r := g.request(http.MethodPost, "/v1/files", "x")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 12<<20))), 12<<20
		resp, body := g.do(r)
		if resp.StatusCode != http.StatusRequestEntityTooLarge || body != "{}" {
			t.Fatalf("status %d, %s", resp.StatusCode, body)
		}
	}
}
