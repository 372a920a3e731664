package intercept

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// parent is a proxy on the way out that answers every CONNECT with answer and then
// echoes.
func parent(t *testing.T, answer string) (*url.URL, chan *http.Request) {
	t.Helper()
	asked := make(chan *http.Request, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				asked <- request
				_, _ = io.WriteString(conn, answer)
				_, _ = io.Copy(conn, r)
			}()
		}
	}()
	return &url.URL{Scheme: "http", User: url.UserPassword("user", "pass"), Host: listener.Addr().String()}, asked
}

func (d *dialer) through(via *url.URL) *dialer {
	d.outward = func(*http.Request) (*url.URL, error) { return via, nil }
	return d
}

func TestATunnelGoesThroughTheProxyOnTheWayOut(t *testing.T) {
	via, asked := parent(t, "HTTP/1.1 200 OK\r\n\r\nfirst words, ")
	d := (&dialer{timeout: patience, control: onlyPublic}).through(via)
	conn, err := d.dial(t.Context(), "example.com", "443")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if r := <-asked; r.Method != "CONNECT" || r.RequestURI != "example.com:443" || r.Host != "example.com:443" || r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz" {
		t.Errorf("asked %+v", r)
	}
	_, _ = io.WriteString(conn, "and what was said")
	if err := closeWrite(conn); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); string(text) != "first words, and what was said" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := d.dial(t.Context(), "169.254.169.254", "443"); !errors.Is(err, ErrAddress) {
		t.Errorf("an address that is not public: %v", err)
	}
}

func TestAProxyOnTheWayOutThatRefusesIsAnError(t *testing.T) {
	for name, answer := range map[string]string{"refuses": "HTTP/1.1 403 Forbidden\r\n\r\n", "is none": "SSH-2.0-x\r\n", "says nothing": ""} {
		t.Run(name, func(t *testing.T) {
			via, _ := parent(t, answer)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			d := (&dialer{timeout: patience, control: onlyPublic}).through(via)
			if _, err := d.dial(ctx, "example.com", "443"); err == nil || name == "refuses" && !strings.Contains(err.Error(), "403 Forbidden") {
				t.Errorf("got %v", err)
			}
		})
	}
	d := (&dialer{timeout: patience, control: onlyPublic}).through(&url.URL{Scheme: "socks5", Host: "127.0.0.1:1"})
	if _, err := d.dial(t.Context(), "example.com", "443"); err == nil {
		t.Error("socks5: no error")
	}
}

func TestTheWayOutIsNeverThisProcess(t *testing.T) {
	for via, want := range map[string]bool{
		"http://127.0.0.1:8383": true, "http://localhost:8383": true, "http://LOCALHOST:8383/": true, "http://[::1]:8383": true, "https://127.0.0.1:8383": true,
		"http://127.0.0.2:8383": true, "http://0.0.0.0:8383": true, "http://user:token@127.0.0.1:8383": true,
		"http://127.0.0.1:3128": false, "http://127.0.0.1": false, "http://proxy.example:8383": false, "http://10.0.0.1:8383": false,
	} {
		u, err := url.Parse(via)
		if err != nil {
			t.Fatal(err)
		}
		way := butNotSelf(func(*http.Request) (*url.URL, error) { return u, nil }, "127.0.0.1:8383")
		if got, err := way(nil); (got == nil) != want || err != nil {
			t.Errorf("%s: %v, %v", via, got, err)
		}
	}
	if u := (&url.URL{Scheme: "http", Host: "10.0.0.1:8383"}); !isSelf(u, "10.0.0.1:8383") || isSelf(u, ":8383") {
		t.Error("its own address, or another one's")
	}
}

func TestTheTokenIsPasswordOrUserOrBearer(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "Basic": "", "Basic !": "", "Bearer token": "token", "bearer  token ": "token", "Basic dG9rZW46": "token", "Basic OnRva2Vu": "token", "Basic YW55OnRva2Vu": "token", "Digest x": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Proxy-Authorization", value)
		if got := TokenOf(r); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestATunnelGoesThroughASOCKSProxyOnTheWayOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		hello, call := make([]byte, 3), make([]byte, 4+1+len("example.com")+2) // RFC 1928, sections 3 and 4
		_, _ = io.ReadFull(conn, hello)
		_, _ = conn.Write([]byte{5, 0})
		_, _ = io.ReadFull(conn, call)
		asked <- string(call[5 : 5+len("example.com")])
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		_, _ = io.Copy(conn, conn)
	}()
	d := (&dialer{timeout: patience, control: onlyPublic}).through(&url.URL{Scheme: "socks5h", Host: listener.Addr().String()})
	conn, err := d.dial(t.Context(), "example.com", "443")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "ping")
	if err := closeWrite(conn); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "ping" || err != nil || <-asked != "example.com" {
		t.Errorf("got %q %v", got, err)
	}
}
