package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const oneWay = 100 * time.Millisecond

// connected returns both ends of a connection, and closes them after the test.
func connected(t *testing.T, n *Network) (net.Conn, net.Conn) {
	t.Helper()
	far := make(chan net.Conn, 1)
	go func() {
		c, _ := n.Accept()
		far <- c
	}()
	near, err := n.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	other := <-far
	t.Cleanup(func() { _ = near.Close(); _ = other.Close() })
	return near, other
}

func TestADialTakesARoundTripAndBytesTakeHalfOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		near, far := connected(t, New(Latency{OneWay: oneWay}))
		if got := time.Since(start); got != 2*oneWay {
			t.Errorf("the dial took %v, want %v", got, 2*oneWay)
		}
		for _, text := range []string{"a", "bc"} {
			if _, err := io.WriteString(near, text); err != nil {
				t.Fatal(err)
			}
		}
		_ = near.Close()
		got, err := io.ReadAll(far)
		if string(got) != "abc" || err != nil || time.Since(start) != 3*oneWay {
			t.Errorf("%q and %v after %v, want abc after %v", got, err, time.Since(start), 3*oneWay)
		}
	})
}

func TestBytesDoNotOvertakeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := connected(t, New(Latency{Jitter: 10 * time.Millisecond, Seed: 1}))
		want := strings.Repeat("0123456789", 20)
		for i := range want {
			_, _ = near.Write([]byte{want[i]})
			time.Sleep(time.Millisecond) // the bubble's clock
		}
		_ = near.Close()
		if got, err := io.ReadAll(far); string(got) != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestAReadEndsWithItsDeadlineAndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := connected(t, New(Latency{OneWay: oneWay}))
		start := time.Now()
		_ = far.SetReadDeadline(start.Add(time.Second))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v, want the deadline's error after 1s", err, time.Since(start))
		}
		_ = far.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Second) // the bubble's clock
			_ = far.Close()
		}()
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v, want net.ErrClosed", err)
		}
		if _, err := near.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // io.Reader's contract
			t.Errorf("%v at the other end, want EOF", err)
		}
		_ = near.SetDeadline(start)
		if _, err := near.Write([]byte("a")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v, want the deadline's error", err)
		}
	})
}

func TestAClosedNetworkRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Latency{OneWay: oneWay})
		_ = n.Close()
		_ = n.Close()
		if _, err := n.Dial(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v, want a refusal", err)
		}
		if _, err := n.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v, want net.ErrClosed", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := n.Dial(ctx, "", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the context's error", err)
		}
	})
}

func TestHTTPRunsOverIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Latency{OneWay: oneWay})
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })}
		go func() { _ = server.Serve(n) }()
		transport := &http.Transport{DialContext: n.Dial}
		start := time.Now()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://mem/", strings.NewReader(strings.Repeat("a", 1<<20)))
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if len(body) != 1<<20 || err != nil || time.Since(start) != 4*oneWay {
			t.Errorf("%d bytes and %v after %v, want all after %v", len(body), err, time.Since(start), 4*oneWay)
		}
		transport.CloseIdleConnections()
		_ = server.Close()
		time.Sleep(time.Second) // the bubble's clock: a server that closes first lingers
	})
}
