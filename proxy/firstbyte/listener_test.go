package firstbyte

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// patience is what the listeners of these tests have.
const patience = 10 * time.Second

func options() Options { return Options{Patience: patience, TLS: &tls.Config{}} }

func TestACallerThatSendsNothingHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		silent := inner.dial()
		defer silent.Close()
		go func() { _, _ = io.WriteString(inner.dial(), "GET") }()
		start := time.Now()
		c, err := l.Accept()
		if err != nil || time.Since(start) != 0 {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		_ = c.Close()
	})
}

func TestACallerThatSendsNothingIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		silent := inner.dial()
		start := time.Now()
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(start) != patience {
			t.Errorf("%v after %v, want the end after %v", err, time.Since(start), patience)
		}
	})
}

func TestTheDeadlineOfTheFirstByteIsGoneAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		ours := inner.dial()
		go func() {
			time.Sleep(patience - time.Second)
			_, _ = io.WriteString(ours, "G")
			time.Sleep(time.Hour)
			_, _ = io.WriteString(ours, "ET")
			_ = ours.Close()
		}()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if text, err := io.ReadAll(c); string(text) != "GET" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
	})
}

func TestADeadlineOfTheServersHoldsForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		ours := inner.dial()
		defer ours.Close()
		go func() { _, _ = io.WriteString(ours, "G") }()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		_ = c.SetReadDeadline(start.Add(time.Second))
		text, err := io.ReadAll(c)
		if string(text) != "G" || !isTimeout(err) || time.Since(start) != time.Second {
			t.Errorf("read %q, %v after %v", text, err, time.Since(start))
		}
	})
}

func TestAFailureToAcceptIsPassedOnAndNotTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		for range 3 {
			inner.failing <- errFull
			if _, err := l.Accept(); !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
		}
		go func() { _, _ = io.WriteString(inner.dial(), "G") }()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	})
}

func TestClosingEndsTheConnectionsThatNobodyAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		silent, waiting := inner.dial(), inner.dial()
		go func() { _, _ = io.WriteString(waiting, "G") }()
		synctest.Wait()
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept() // the one that waits
			if err == nil {
				_, err = l.Accept()
			}
			ended <- err
		}()
		synctest.Wait()
		offered, theirs := net.Pipe()
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		l.Offer(theirs, "x:443", "", nil)
		for name, c := range map[string]net.Conn{"silent": silent, "offered": offered} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_ = waiting.Close()
	})
}

func TestAnOfferedConnectionIsAcceptedWithItsTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(newPipes(), options())
		defer l.Close()
		for name, tt := range map[string]struct{ unread, sent string }{
			"nothing read yet":   {"", "GET /"},
			"a part read":        {"GE", "T /"},
			"everything is read": {"GET /", ""},
		} {
			ours, theirs := net.Pipe()
			l.Offer(theirs, "api.example:443", "token", []byte(tt.unread))
			go func() {
				_, _ = io.WriteString(ours, tt.sent)
				_ = ours.Close()
			}()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(c); string(text) != "GET /" || err != nil || TargetOf(c) != "api.example:443" || TokenOf(c) != "token" {
				t.Errorf("%s: read %q, %v from target %q with token %q", name, text, err, TargetOf(c), TokenOf(c))
			}
			_ = c.Close()
		}
	})
}

func TestOnlyATLSRecordIsTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		for b := range 256 {
			ours := inner.dial()
			go func() { _, _ = ours.Write([]byte{byte(b)}) }()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if _, isTLS := c.(*tls.Conn); isTLS != (b == 22) {
				t.Errorf("a connection that begins with %d: TLS %v", b, isTLS)
			}
			_, _ = ours, c.Close()
			_ = ours.Close()
		}
	})
}

func FuzzWhatIsSentIsRead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 3)
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 1)
	f.Add([]byte{22, 3, 1, 0, 5}, 1)
	f.Add([]byte{0}, 100)
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		if len(sent) == 0 || size < 1 || size > 1<<16 {
			return
		}
		inner := newPipes()
		l := New(inner, options())
		defer l.Close()
		go func() {
			ours := inner.dial()
			_, _ = ours.Write(sent)
			_ = ours.Close()
		}()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if secure, ok := c.(*tls.Conn); ok {
			if sent[0] != recordHandshake {
				t.Errorf("%q passes for TLS", sent)
			}
			c = secure.NetConn()
		}
		var got []byte
		for buf := make([]byte, size); ; {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("sent %q, read %q", sent, got)
		}
	})
}
