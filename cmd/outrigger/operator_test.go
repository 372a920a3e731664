package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// What the log says of reloads.
const (
	reloaded  = "configuration reloaded"
	unchanged = "configuration read again: no setting has changed"
	refused   = "configuration refused: all stays as it was"
)

// requests returns the log lines of requests, by their path.
func (p *process) requests() map[string]map[string]any {
	all := map[string]map[string]any{}
	for line := range strings.Lines(p.output()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		if path, ok := entry["path"].(string); ok && entry["msg"] == "request" {
			all[path] = entry
		}
		if entry["msg"] == "tunnel" {
			all["tunnel"] = entry
		}
	}
	return all
}

// plainUpstream answers every request at once, and counts who asked with which key.
func plainUpstream(t *testing.T) (string, func() string) {
	t.Helper()
	var key atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		key.Store(r.Header.Get("Authorization") + " " + r.Header.Get("X-Extra") + " " + r.URL.RawQuery)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() string { return key.Load().(string) }
}

// writeFile replaces a file as a mounted Secret is replaced: at once.
func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// status sends a request with a client token and returns its status.
func status(t *testing.T, p *process, token string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+p.traffic+"/v1/models", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Outrigger-Token", token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestSIGHUP_ReadsCertificatesAnew(t *testing.T) {
	upstream, _ := newStreams(t)
	cert, key, pool := givenPair(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_TLS_CERT_FILE="+cert, "OUTRIGGER_TLS_KEY_FILE="+key)
	url := "https://" + p.traffic + "/v1/models"
	speaks := func(when string, want bool) {
		t.Helper()
		if _, _, err := secureGet(t, url, pool, http1); (err == nil) != want {
			t.Errorf("%s the first certificate is trusted: %v", when, err)
		}
	}
	speaks("before", true)
	old, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, cert, "nonsense")
	p.signal(syscall.SIGHUP)
	p.awaitLog(refused)
	speaks("after a bad file", true)
	writeFile(t, cert, string(old))
	otherCert, otherKey, otherPool := givenPair(t)
	for from, to := range map[string]string{otherCert: cert, otherKey: key} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, to, string(content))
	}
	p.signal(syscall.SIGHUP)
	p.awaitLog("certificate renewed")
	p.awaitLog(unchanged)
	speaks("after a new one", false)
	if _, body, err := secureGet(t, url, otherPool, http1); err != nil || body != "upstream says hello" {
		t.Errorf("with the new certificate: %q, %v", body, err)
	}
}

func TestSIGHUP_ReadsTheLocalAuthorityAnew(t *testing.T) {
	upstream, _ := newStreams(t)
	directory, other := t.TempDir(), t.TempDir()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_CA_DIR="+directory)
	startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_CA_DIR="+other)
	url := "https://" + p.traffic + "/v1/models"
	key := filepath.Join(directory, "private/ca-key.pem")
	first := trusting(t, filepath.Join(directory, "ca.pem"))
	writeFile(t, key, "nonsense")
	p.signal(syscall.SIGHUP)
	p.awaitLog(refused)
	if _, _, err := secureGet(t, url, first, http1); err != nil {
		t.Errorf("after a bad file: %v", err)
	}
	content, err := os.ReadFile(filepath.Join(other, "private/ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, key, string(content))
	p.signal(syscall.SIGHUP)
	p.awaitLog("local certificate authority renewed")
	p.awaitLog(unchanged)
	if _, _, err := secureGet(t, url, trusting(t, filepath.Join(other, "ca.pem")), http1); err != nil {
		t.Errorf("after a new one: %v", err)
	}
	trusting(t, filepath.Join(directory, "ca.pem")) // apps find the new one
	if _, _, err := secureGet(t, url, first, http1); err == nil {
		t.Error("the old one is still in use")
	}
}

// A start that waits for a file that is a pipe is caught in the middle.
func TestSIGHUP_DoesNotEndAStart(t *testing.T) {
	upstream, key := plainUpstream(t)
	pipe := filepath.Join(t.TempDir(), "key")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = []string{
		beOutrigger + "=1", "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off", "TMPDIR=" + t.TempDir(),
		"OUTRIGGER_UPSTREAMS=test=" + upstream, "OUTRIGGER_UPSTREAM_TEST_API_KEY_FILE=" + pipe,
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until the process reads
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	_, _ = writer.WriteString("sk-piped")
	_ = writer.Close()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var entry struct{ Msg, Listener, Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Listener == "traffic" {
			if code, _ := get(t, "http://"+entry.Address+"/v1/models"); code != 200 || !strings.HasPrefix(key(), "Bearer sk-piped") {
				t.Errorf("%d with %q", code, key())
			}
			return
		}
	}
	t.Errorf("it ended: %v", command.Wait())
}

func TestSIGHUP_DoesNotEndADrain(t *testing.T) {
	upstream, release := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_DRAIN_DELAY=50ms")
	streams := openStreams(t, p.traffic, 1, http1)
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: not ready any more, still taking requests")
	p.signal(syscall.SIGHUP)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	p.signal(syscall.SIGHUP)
	release()
	if text, err := streams[0].rest(); err != nil || text != lastEvents {
		t.Errorf("the stream ended with %q, %v", text, err)
	}
	if code := p.exitCode(); code != 0 || strings.Contains(p.output(), "second signal") {
		t.Errorf("exit code %d", code)
	}
}

func TestSIGHUP_DoesNotEndOtherCommands(t *testing.T) {
	for _, args := range [][]string{{"sim", "-listen", "127.0.0.1:0"}, {"demo"}} {
		t.Run(args[0], func(t *testing.T) {
			command := exec.Command(os.Args[0], args...)
			command.Env = []string{beOutrigger + "=1", "TMPDIR=" + t.TempDir()}
			stdout, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = command.Process.Kill() })
			if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				_ = command.Process.Signal(syscall.SIGHUP)
			}
			if err := command.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, stdout)
			var how syscall.WaitStatus
			if ended, ok := errors.AsType[*exec.ExitError](command.Wait()); ok {
				how = ended.Sys().(syscall.WaitStatus)
			}
			if how.Signaled() {
				t.Errorf("it was ended by %s", how.Signal())
			}
		})
	}
}

func TestSignals_ThatAreForNothingEndNothing(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream)
	for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGWINCH, syscall.SIGHUP} {
		p.signal(s)
	}
	p.awaitLog(unchanged)
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 || body != "upstream says hello" {
		t.Errorf("%d %s", code, body)
	}
}

// SIGQUIT is how a Go program is asked where it hangs. It ends it, as everywhere.
func TestSIGQUIT_TellsWhereItHangs(t *testing.T) {
	p := startProcess(t)
	p.signal(syscall.SIGQUIT)
	if code := p.exitCode(); code != 2 || !strings.Contains(p.output(), "goroutine ") {
		t.Errorf("exit code %d", code)
	}
}

func TestTheProcessOutlivesTheReaderOfItsLog(t *testing.T) {
	upstream, _ := newStreams(t)
	for _, output := range []string{"stderr", "both"} {
		t.Run(output, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			_ = listener.Close()
			command := exec.Command(os.Args[0])
			command.Env = []string{beOutrigger + "=1", "TMPDIR=" + t.TempDir(), "OUTRIGGER_LISTEN=" + address, "OUTRIGGER_ADMIN_LISTEN=off", "OUTRIGGER_UPSTREAMS=test=" + upstream}
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			command.Stderr = writer
			if output == "both" {
				command.Stdout = writer
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
			_ = writer.Close()
			for lines := bufio.NewScanner(reader); lines.Scan() && !strings.Contains(lines.Text(), `"traffic"`); {
			}
			_ = reader.Close()
			for range 3 {
				if code, body := get(t, "http://"+address+"/v1/models"); code != 200 || body != "upstream says hello" {
					t.Errorf("%d %s", code, body)
				}
			}
			if err := command.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := command.Wait(); err != nil {
				t.Errorf("want exit code 0: %v", err)
			}
		})
	}
}

// cutUpstream begins what it is asked for and does not end it: streams, WebSockets, answers.
func cutUpstream(t *testing.T) string {
	t.Helper()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer func() { _ = c.CloseNow() }()
			_ = c.Write(r.Context(), websocket.MessageText, []byte("hello"))
			_, _, _ = c.Read(r.Context())
			return
		}
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, firstEvent)
			w.(http.Flusher).Flush()
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	return server.URL
}

// sendAway sends a request whose answer is awaited by the function that it returns.
func sendAway(t *testing.T, r *http.Request) func() (int, string, error) {
	t.Helper()
	type result struct {
		code int
		body string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		response, err := client.Do(r)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		done <- result{response.StatusCode, string(body), err}
	}()
	return func() (int, string, error) {
		got := <-done
		return got.code, got.body, got.err
	}
}

// awaitInflight waits until n requests are on their way.
func awaitInflight(t *testing.T, p *process, n int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		_, body := get(t, "http://"+p.admin+"/status.json")
		var s struct{ Inflight int }
		if json.Unmarshal([]byte(body), &s) == nil && s.Inflight >= n {
			return
		}
	}
	t.Fatalf("no %d requests are on their way", n)
}

// post makes a request.
func post(t *testing.T, p *process, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+p.traffic+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r
}

const waiting = `{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}`

func TestASecondSignal_IsLoggedAsTheEndOfWhatItCuts(t *testing.T) {
	for name, delay := range map[string]string{"during the delay": "1h", "while requests finish": "0s"} {
		t.Run(name, func(t *testing.T) {
			p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+cutUpstream(t), "OUTRIGGER_DRAIN_TIMEOUT=1h", "OUTRIGGER_DRAIN_DELAY="+delay,
				"OUTRIGGER_INTERCEPT=on", "OUTRIGGER_CA_DIR="+t.TempDir(), "HTTPS_PROXY="+wayOut(t, nil))
			streams := openStreams(t, p.traffic, 1, http1)
			answer := sendAway(t, post(t, p, "/v1/responses", strings.NewReader(`{"model":"gpt-4o","input":"x"}`)))
			keyed := post(t, p, "/v1/embeddings", strings.NewReader(`{"model":"e","input":"x"}`))
			keyed.Header.Set("Idempotency-Key", "k")
			again := sendAway(t, keyed)
			body, writer := io.Pipe()
			t.Cleanup(func() { _ = writer.Close() })
			upload := sendAway(t, post(t, p, "/v1/files", body))
			_, _ = writer.Write([]byte("half"))
			c, _, err := websocket.Dial(t.Context(), "ws://"+p.traffic+"/v1/realtime?model=r", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			if _, _, err := c.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, tunnel := dig(t, p.traffic)
			awaitInflight(t, p, 5)

			p.signal(syscall.SIGTERM)
			p.awaitLog("drain: not ready any more, still taking requests")
			p.signal(syscall.SIGTERM)
			if code := p.exitCode(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			if text, err := streams[0].rest(); err == nil || !strings.Contains(text, "shutting down") {
				t.Errorf("the stream ended with %q, %v", text, err)
			}
			for what, ends := range map[string]func() (int, string, error){"an answer": answer, "a call with a key": again, "an upload": upload} {
				if code, body, err := ends(); err != nil || code != 503 || !strings.Contains(body, `"draining"`) {
					t.Errorf("%s: %d %s, %v", what, code, body, err)
				}
			}
			if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("the WebSocket ended with %v", err)
			}
			if _, err := tunnel.ReadByte(); err == nil {
				t.Error("the tunnel is open")
			}
			lines := p.requests()
			for _, path := range []string{"/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/files", "/v1/realtime"} {
				if line := lines[path]; line["reason"] != "shutdown" || line["outcome"] == "canceled" || line["level"] != "WARN" {
					t.Errorf("%s is logged as %v", path, line)
				}
			}
			if line := lines["tunnel"]; line["outcome"] != "shutdown" {
				t.Errorf("the tunnel is logged as %v", line)
			}
		})
	}
}

// The false friend: who leaves before the signal has left.
func TestASecondSignal_DoesNotTakeOverWhoLeftBefore(t *testing.T) {
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+cutUpstream(t), "OUTRIGGER_DRAIN_TIMEOUT=1h")
	openStreams(t, p.traffic, 1, http1)
	conn, err := net.Dial("tcp", p.traffic)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(waiting), waiting)
	awaitInflight(t, p, 2)
	_ = conn.Close()
	p.awaitLog("request")
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	p.signal(syscall.SIGTERM)
	p.exitCode()
	lines := p.requests()
	if line := lines["/v1/responses"]; line["outcome"] != "canceled" || line["reason"] != nil {
		t.Errorf("who left is logged as %v", line)
	}
	if line := lines["/v1/chat/completions"]; line["outcome"] != "interrupted" || line["reason"] != "shutdown" {
		t.Errorf("what was cut is logged as %v", line)
	}
}

func TestAnUploadThatStillComesAtTheEndOfADrainIsTold(t *testing.T) {
	for name, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2": http2} {
		for _, moves := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/moves=%t", name, moves), func(t *testing.T) {
				upstream, _ := plainUpstream(t)
				p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_DRAIN_TIMEOUT=100ms")
				body, writer := io.Pipe()
				go func() {
					defer writer.Close()
					for {
						if _, err := writer.Write([]byte(strings.Repeat("x", 1000))); err != nil || !moves {
							<-t.Context().Done()
							return
						}
						time.Sleep(time.Millisecond)
					}
				}()
				protocols := &http.Protocols{}
				set(protocols, true)
				transport := &http.Transport{Protocols: protocols}
				defer transport.CloseIdleConnections()
				r := post(t, p, "/v1/files", body)
				var all sync.WaitGroup
				all.Go(func() {
					response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(r)
					if err != nil {
						t.Errorf("the upload got no answer: %v", err)
						return
					}
					defer response.Body.Close()
					text, _ := io.ReadAll(response.Body)
					if response.StatusCode != 503 || !strings.Contains(string(text), `"draining"`) {
						t.Errorf("%d %s", response.StatusCode, text)
					}
				})
				awaitInflight(t, p, 1)
				p.signal(syscall.SIGTERM)
				all.Wait()
				if code := p.exitCode(); code != 0 {
					t.Errorf("exit code %d", code)
				}
				if line := p.requests()["/v1/files"]; line["status"] != 503.0 || line["outcome"] != "draining" || line["reason"] != "shutdown" {
					t.Errorf("it is logged as %v", line)
				}
			})
		}
	}
}

func TestAtTheStartOfADrainWhoWouldWaitTooLongIsRefused(t *testing.T) {
	upstream, _ := plainUpstream(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_RPM=12", "OUTRIGGER_DRAIN_TIMEOUT=8s") // one each 5 s
	var ends []func() (int, string, error)
	for range 5 {
		ends = append(ends, sendAway(t, post(t, p, "/v1/chat/completions", strings.NewReader(waiting))))
	}
	served := 0
	awaitQueue(t, p, 3)
	started := time.Now()
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	refused := 0
	for _, end := range ends {
		switch code, body, err := end(); {
		case err != nil:
			t.Error(err)
		case code == 200:
			served++
		case code == 503 && strings.Contains(body, `"draining"`):
			refused++
		default:
			t.Errorf("%d %s", code, body)
		}
	}
	if served == 0 || refused < 2 {
		t.Errorf("%d served, %d refused", served, refused)
	}
	t.Logf("%d served, %d refused, %s after the signal", served, refused, time.Since(started))
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(p.output()) {
		if strings.Contains(line, `"outcome":"draining"`) && strings.Contains(line, "out of time") {
			t.Errorf("a queued call waited for the drain's end: %s", line)
		}
	}
	if strings.Contains(p.output(), "out of time") {
		t.Error("the drain ran out of time")
	}
}

// awaitQueue waits until n requests wait for the rate limit.
func awaitQueue(t *testing.T, p *process, n int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		_, body := get(t, "http://"+p.admin+"/metrics")
		for line := range strings.Lines(body) {
			if got := 0; strings.HasPrefix(line, "outrigger_queue_depth{") {
				_, text, _ := strings.Cut(line, "} ")
				if _, err := fmt.Sscan(text, &got); err == nil && got >= n {
					return
				}
			}
		}
	}
	t.Fatalf("no %d requests wait", n)
}
