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

	"outrigger/test/process"
)

// tooLarge is how an upstream refuses a body that it has not read.
const tooLarge = `{"error":{"message":"Maximum content size limit exceeded.","type":"invalid_request_error","param":null,"code":null}}`

// TestUploadsAreRefusedBeforeTheyAreRead: the upstream answers at once and closes
// the connection under the body. Each caller gets that answer, whether its upload
// was kept or passed on; and where net/http closes the caller's connection under
// the rest, it says so, for a client that has sent all would use it again.
func TestUploadsAreRefusedBeforeTheyAreRead(t *testing.T) {
	early := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, tooLarge)
	}))
	t.Cleanup(early.Close)
	for name, tt := range map[string]struct {
		upstream, spool string
		status          int
		answer          string
	}{
		"kept":                       {early.URL, "1GiB", http.StatusRequestEntityTooLarge, tooLarge},
		"passed on":                  {early.URL, "0", http.StatusRequestEntityTooLarge, tooLarge},
		"passed on to nobody at all": {"http://" + process.FreeAddress(t), "0", http.StatusBadGateway, `{"error":{"code":"upstream_unreachable"`},
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t, "OUTRIGGER_UPSTREAMS=test="+tt.upstream, "OUTRIGGER_SPOOL_MAX="+tt.spool, "OUTRIGGER_RETRY_MAX=0")
			// Larger than what is kept in memory and than what net/http reads behind an
			// answer; most of them small enough for the sockets' buffers to take it all.
			for _, size := range []int64{2_500_000, 2_500_000, 2_500_000, 2_500_000, 20_000_000, 20_000_000} {
				uploadEarly(t, o, body{size: size, create: true}, tt.status, tt.answer)
			}
		})
	}
}

func uploadEarly(t *testing.T, o *outrigger, upload body, status int, answer string) {
	t.Helper()
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
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if response.StatusCode != status || !strings.HasPrefix(string(text), answer) || err != nil {
		t.Errorf("%d bytes: status %d, %s, %v", upload.size, response.StatusCode, text, err)
	}
	if <-sent != nil || response.Close {
		return
	}
	again, _ := http.NewRequest(http.MethodGet, o.base+"/v1/models", http.NoBody)
	_ = again.Write(conn)
	if _, err := http.ReadResponse(from, again); err != nil {
		t.Errorf("%d bytes: a second request over the connection: %v; header of the first answer %v", upload.size, err, response.Header)
	}
}
