package relay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"outrigger/test/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// newRelay forwards to a server that answers each request with its body.
func newRelay(t *testing.T, w Weather) *Relay {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(server.Close)
	r, err := Listen("127.0.0.1:0", strings.TrimPrefix(server.URL, "http://"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Set(w)
	return r
}

// ask sends one request on a connection of its own, and returns what came until its end.
func ask(t *testing.T, r *Relay, patience time.Duration) (string, error) {
	t.Helper()
	c, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", r.Addr())
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
	text, err := io.ReadAll(bufio.NewReader(c))
	return string(text), err
}

func TestRelay_GoodWeatherChangesNothing(t *testing.T) {
	r := newRelay(t, Weather{})
	text, err := ask(t, r, 10*time.Second)
	if err != nil || !strings.HasSuffix(text, "\r\n\r\nhello") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestRelay_SlowWeatherKeepsTheBytes(t *testing.T) {
	r := newRelay(t, Weather{Latency: time.Millisecond, Jitter: time.Millisecond, Rate: 100_000, Piece: 7})
	text, err := ask(t, r, 10*time.Second)
	if err != nil || !strings.HasSuffix(text, "\r\n\r\nhello") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestRelay_EachKindStrikesAsItSays(t *testing.T) {
	reset := func(_ string, err error) bool { return errors.Is(err, syscall.ECONNRESET) }
	silent := func(_ string, err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
	ended := func(text string, err error) bool {
		return (err == nil || errors.Is(err, syscall.ECONNRESET)) && !strings.HasSuffix(text, "\r\n\r\nhello")
	}
	wants := map[Kind]func(string, error) bool{
		Refuse: reset, ResetRequest: reset, ResetAnswer: reset,
		Ignore: silent, SwallowRequest: silent, SwallowAnswer: silent,
		CloseRequest: ended, DropRequest: ended, CloseSent: ended, CloseAnswer: ended, HalfNear: ended,
		Garbage: func(text string, err error) bool { return ended(text, err) && !strings.HasPrefix(text, "HTTP") },
		Unasked: func(text string, err error) bool { return err == nil && !strings.HasPrefix(text, "HTTP") },
		HalfFar: func(string, error) bool { return true }, // the server may have ended already
		Stall:   func(text string, err error) bool { return err == nil && strings.HasSuffix(text, "hello") },
	}
	for _, k := range Kinds() {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, Weather{Chance: map[Kind]float64{k: 1}})
			patience := 10 * time.Second
			if k == Ignore || k == SwallowRequest || k == SwallowAnswer {
				patience = time.Second
			}
			for range 1000 { // until its byte is within an exchange as short as this
				text, err := ask(t, r, patience)
				if r.Struck()[k] == 0 {
					continue
				}
				if !wants[k](text, err) {
					t.Errorf("%q, %v", text, err)
				}
				return
			}
			t.Error("never struck")
		})
	}
}

func TestRelay_DeafTakesNoConnection(t *testing.T) {
	r := newRelay(t, Weather{Deaf: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c, err := new(net.Dialer).DialContext(ctx, "tcp", r.Addr()); err == nil {
		defer c.Close()
		t.Error("connected")
	}
	r.Set(Weather{})
	if text, err := ask(t, r, 10*time.Second); err != nil || !strings.HasSuffix(text, "hello") {
		t.Errorf("%q, %v after it hears again", text, err)
	}
}
