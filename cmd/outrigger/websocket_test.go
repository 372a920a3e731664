package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// The connections of the process are wrapped more than once; each has to let one half
// end and the other go on.
func TestAWebSocketsHalvesEndByThemselvesInTheProcess(t *testing.T) {
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
				defer conn.Close()
				r := bufio.NewReader(conn)
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
				all, _ := io.ReadAll(r)
				_, _ = io.WriteString(conn, "after the end: "+string(all))
			}()
		}
	}()
	cert, key, pool := givenPair(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test=http://"+listener.Addr().String(), "OUTRIGGER_TLS_CERT_FILE="+cert, "OUTRIGGER_TLS_KEY_FILE="+key)
	for name, secure := range map[string]bool{"cleartext": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", p.traffic)
			if err != nil {
				t.Fatal(err)
			}
			if secure {
				conn = tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: "localhost"})
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			r := bufio.NewReader(conn)
			if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %v %v", resp, err)
			}
			_, _ = io.WriteString(conn, "words")
			_ = conn.(interface{ CloseWrite() error }).CloseWrite()
			if all, err := io.ReadAll(r); string(all) != "after the end: words" || err != nil {
				t.Errorf("got %q %v", all, err)
			}
		})
	}
}

// A process that stops says so to the WebSockets that it cannot wait for.
func TestAStopClosesAWebSocketWithAReason(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		_, _, _ = c.Read(r.Context())
	}))
	defer upstream.Close()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream.URL, "OUTRIGGER_DRAIN_TIMEOUT=100ms")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+p.traffic+"/v1/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	p.signal(syscall.SIGTERM)
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("closed with %v", err)
	}
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
