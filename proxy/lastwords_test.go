package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
)

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
