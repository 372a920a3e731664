package sim

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/test/leaks"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

func TestMain(m *testing.M) { leaks.Main(m) }

// pass lets the clock of the bubble go on.
func pass(d time.Duration) { <-time.After(d) }

// received is an answer as a test compares it.
type received struct {
	status int
	header http.Header
	body   string
	closes bool // the server closes the connection after it
}

// ask sends a request straight to the handler. Headers are "Name: value".
func ask(s *Sim, method, path, body string, headers ...string) received {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer sk-test")
	setAll(r.Header, headers)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return received{status: w.Code, header: w.Result().Header, body: w.Body.String()}
}

func setAll(h http.Header, headers []string) {
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
		if value == "" {
			h.Del(name)
		}
	}
}

// chatBody is a chat request.
const chatBody = `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}],"max_tokens":3}`

// streamBody is one for a stream.
const streamBody = `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}],"max_tokens":3,"stream":true}`

// server starts s on a real socket and returns the URL of its root.
func server(t *testing.T, s *Sim) string {
	t.Helper()
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return strings.TrimSuffix(base, "/v1")
}

// dial connects to the server of a URL, for tests that look at bytes.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// rawRequest is a POST as it is written to a connection.
func rawRequest(path, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer sk-test\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// exchange writes a request and reads everything up to the end of the connection.
func exchange(t *testing.T, url, request string) (string, error) {
	t.Helper()
	conn := dial(t, url)
	if _, err := io.WriteString(conn, request); err != nil {
		return "", err
	}
	got, err := io.ReadAll(conn)
	return string(got), err
}

// client returns an HTTP client that leaves nothing behind.
func client(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// post sends a chat request and reads the answer.
func post(t *testing.T, c *http.Client, url, body string, headers ...string) (received, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-test")
	setAll(r.Header, headers)
	resp, err := c.Do(r)
	if err != nil {
		return received{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	return received{resp.StatusCode, resp.Header, string(got), resp.Close}, err
}

// formBody renders a multipart form and returns it with its content type; names that
// begin with @ are files.
func formBody(t *testing.T, pairs ...string) (string, string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i < len(pairs); i += 2 {
		var part io.Writer
		var err error
		if name, isFile := strings.CutPrefix(pairs[i], "@"); isFile {
			part, err = w.CreateFormFile(name, name+".jsonl")
		} else {
			part, err = w.CreateFormField(pairs[i])
		}
		if err == nil {
			_, err = io.WriteString(part, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), w.FormDataContentType()
}

// golden compares got with a file in testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s:\n got %s\nwant %s", path, got, want)
	}
}

// pipes is a listener without sockets, for synctest bubbles. It can be opened
// again after Close.
type pipes struct {
	conns  chan net.Conn
	mu     sync.Mutex
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{closed: make(chan struct{}), conns: make(chan net.Conn)} }

// listen is for Config.Listen.
func (p *pipes) listen(string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = make(chan struct{})
	return p, nil
}

func (p *pipes) end() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.end():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// dial is for http.Transport.DialContext.
func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.end():
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
