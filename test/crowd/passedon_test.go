package crowd

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// TestTheConnectionOfAnUploadThatWasAnsweredEarlyIsNotTakenForFree: an upload that
// could not be kept is passed on, and the upstream answers without reading it. The
// server then cannot read another request behind the rest, so it must say so: a
// client that has sent all would take the connection for free.
func TestTheConnectionOfAnUploadThatWasAnsweredEarlyIsNotTakenForFree(t *testing.T) {
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, `{"error":{"message":"no such key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)
	}))
	t.Cleanup(early.Close)
	for name, tt := range map[string]struct {
		upstream string
		want     int
	}{
		"by the upstream": {early.URL, http.StatusRequestEntityTooLarge},
		"by Outrigger":    {"http://" + unreachable(t), http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t, "OUTRIGGER_UPSTREAMS=test="+tt.upstream, "OUTRIGGER_SPOOL_MAX=0", "OUTRIGGER_RETRY_MAX=0", "OUTRIGGER_TRIP_COOLDOWN=1s", "OUTRIGGER_LOG_LEVEL=debug")
			// Larger than what is kept in memory and what net/http reads behind an
			// answer, and small enough for the sockets' buffers: it is all sent.
			upload := body{size: 2_500_000, create: true}
			for range 40 {
				conn, err := net.Dial("tcp", strings.TrimPrefix(o.base, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				sent := make(chan error, 1)
				go func() {
					_, err := io.WriteString(conn, "POST "+upload.path()+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: "+upload.contentType()+
						"\r\nContent-Length: "+strconv.FormatInt(upload.length(), 10)+"\r\n\r\n")
					if err == nil {
						_, err = io.Copy(conn, upload.reader())
					}
					sent <- err
				}()
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				
				if response.StatusCode != tt.want {
					text, _ := io.ReadAll(response.Body); t.Errorf("status %d, %s", response.StatusCode, text)
				}
				if <-sent == nil && !response.Close {
					again, _ := http.NewRequest(http.MethodGet, o.base+"/v1/models", http.NoBody)
					_ = again.Write(conn)
					_, err := http.ReadResponse(bufio.NewReader(conn), again)
					if err != nil {
						t.Errorf("a second request over the connection: %v; header of the first answer %v", err, response.Header)
					}
				}
			}
		})
	}
}

// unreachable is an address where nobody listens.
func unreachable(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
