package firstbyte

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"
)

// serve runs an http.Server behind a Listener on loopback and returns its address
// and what trusts its certificate. The answer tells protocol and TLS.
func serve(t *testing.T) (*http.Server, string, *x509.CertPool) {
	t.Helper()
	given, pool := certificate(t)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, Options{Patience: patience, TLS: &tls.Config{
		Certificates: []tls.Certificate{given}, NextProtos: []string{"h2", "http/1.1"},
	}})
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := r.Proto
			if r.TLS != nil {
				text += " TLS"
			}
			_, _ = io.WriteString(w, text)
		}),
		ReadHeaderTimeout: patience,
		Protocols:         new(http.Protocols),
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return server, inner.Addr().String(), pool
}

func TestOnePortServesEveryVersionWithAndWithoutTLS(t *testing.T) {
	_, address, pool := serve(t)
	for want, tt := range map[string]struct {
		scheme string
		set    func(*http.Protocols, bool)
	}{
		"HTTP/1.1":     {"http", (*http.Protocols).SetHTTP1},
		"HTTP/2.0":     {"http", (*http.Protocols).SetUnencryptedHTTP2},
		"HTTP/1.1 TLS": {"https", (*http.Protocols).SetHTTP1},
		"HTTP/2.0 TLS": {"https", (*http.Protocols).SetHTTP2},
	} {
		t.Run(want, func(t *testing.T) {
			transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
			tt.set(transport.Protocols, true)
			defer transport.CloseIdleConnections()
			for range 2 {
				response, err := (&http.Client{Transport: transport}).Get(tt.scheme + "://" + address)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if string(text) != want || err != nil {
					t.Errorf("got %q, %v", text, err)
				}
			}
		})
	}
}

func TestAShutdownDoesNotWaitForSilentCallers(t *testing.T) {
	server, address, _ := serve(t)
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	_ = silent.SetReadDeadline(time.Now().Add(30 * time.Second))
	if n, err := silent.Read(make([]byte, 1)); n != 0 || err == nil || isTimeout(err) {
		t.Errorf("read %d, %v, want the end", n, err)
	}
}

func TestAHalfClosedConnectionCanStillBeRead(t *testing.T) {
	given, pool := certificate(t)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, Options{Patience: patience, TLS: &tls.Config{Certificates: []tls.Certificate{given}}})
	defer l.Close()
	dial := map[string]func() (net.Conn, error){
		"cleartext": func() (net.Conn, error) { return net.Dial("tcp", inner.Addr().String()) },
		"TLS": func() (net.Conn, error) {
			return tls.Dial("tcp", inner.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost"})
		},
	}
	for name, dial := range dial {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 1)
			go func() {
				defer close(got)
				ours, err := dial()
				if err != nil {
					return
				}
				defer ours.Close()
				_, _ = io.WriteString(ours, "ping\n")
				text, _ := io.ReadAll(ours)
				_, _ = io.WriteString(ours, "after the end\n")
				got <- string(text)
			}()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			r := bufio.NewReader(c)
			if line, err := r.ReadString('\n'); line != "ping\n" || err != nil {
				t.Fatalf("read %q, %v", line, err)
			}
			_, _ = io.WriteString(c, "pong")
			if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if line, err := r.ReadString('\n'); line != "after the end\n" || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
			if text := <-got; text != "pong" {
				t.Errorf("the caller read %q", text)
			}
		})
	}
}

func isTimeout(err error) bool {
	timeout := net.Error(nil)
	return errors.As(err, &timeout) && timeout.Timeout()
}
