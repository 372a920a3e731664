package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
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
		"no longer than a second":        {syscall.EPIPE, func(net.Conn, *scripted) {}, lastWords},
		"not for other errors":           {net.ErrClosed, func(net.Conn, *scripted) {}, 0},
		"not when all went well":         {nil, func(net.Conn, *scripted) {}, 0},
		"through bytes that are read":    {syscall.ECONNRESET, func(c net.Conn, s *scripted) { s.reads <- []byte("x"); _, _ = c.Read(make([]byte, 1)) }, lastWords},
		"closed twice is closed as well": {syscall.EPIPE, func(c net.Conn, _ *scripted) { _ = c.Close(); _ = c.Close() }, 100 * time.Millisecond},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{reads: make(chan []byte, 1), writes: tt.write}
				conn, err := heard(func(context.Context, string, string) (net.Conn, error) { return s, nil })(t.Context(), "tcp", "a:1")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				time.AfterFunc(100*time.Millisecond, func() { tt.act(conn, s) })
				_, err = conn.Write([]byte("body"))
				if took := time.Since(began); took != tt.want || !errors.Is(err, tt.write) {
					t.Errorf("Write returned %v after %v, want %v after %v", err, took, tt.write, tt.want)
				}
				time.Sleep(lastWords) // act
			})
		})
	}
}

func TestADialThatFailsMakesNoConnection(t *testing.T) {
	conn, err := heard(func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF })(t.Context(), "tcp", "a:1")
	if conn != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, %v", conn, err)
	}
}
