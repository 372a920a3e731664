package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is outrigger itself when this is set: its processes are real
// ones, and under -race they are checked for races too.
const beOutrigger = "TEST_BE_OUTRIGGER"

func TestMain(m *testing.M) {
	if os.Getenv(beOutrigger) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience bounds what a test waits for. It only matters when the test fails.
const patience = 30 * time.Second

// process is a running outrigger.
type process struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string   // its log
	done    chan struct{} // closed when it has ended and been read to the end
	traffic string        // addresses
	admin   string

	mu  sync.Mutex
	log bytes.Buffer
}

// start runs outrigger serve on free ports and waits until it listens.
func startProcess(t *testing.T, environ ...string) *process {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0]), environ...)
}

// startCommand is startProcess with a command that becomes outrigger.
func startCommand(t *testing.T, command *exec.Cmd, environ ...string) *process {
	t.Helper()
	p := &process{t: t, command: command, lines: make(chan string, 10_000), done: make(chan struct{})}
	p.command.Env = append([]string{
		beOutrigger + "=1", "TMPDIR=" + t.TempDir(), "GORACE=halt_on_error=1", "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=127.0.0.1:0",
	}, environ...)
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
			p.lines <- lines.Text()
		}
		_ = p.command.Wait() // its code is looked at by exitCode
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		<-p.done
		if t.Failed() {
			t.Logf("its log:\n%s", p.output())
		}
	})
	p.admin = p.awaitLog("listening")["address"].(string)
	p.traffic = p.awaitLog("listening")["address"].(string)
	return p
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// awaitLog waits for the next line with that message and returns its attributes.
func (p *process) awaitLog(message string) map[string]any {
	p.t.Helper()
	timeout, done := time.After(patience), p.done
	for {
		select {
		case line := <-p.lines:
			var entry map[string]any
			if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message {
				return entry
			}
		case <-done:
			if len(p.lines) > 0 { // what it logged last is still to be read
				continue
			}
			p.t.Fatalf("it ended without logging %q:\n%s", message, p.output())
		case <-timeout:
			p.t.Fatalf("it did not log %q:\n%s", message, p.output())
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) exitCode() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("it did not end:\n%s", p.output())
	}
	return p.command.ProcessState.ExitCode()
}

// get asks over a connection of its own and returns status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

const (
	firstEvent = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}` + "\n\n"
	lastEvents = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

// newStreams returns the URL of an upstream whose streams send one event, and the
// rest when the function that it returns too is called.
func newStreams(t *testing.T) (string, func()) {
	t.Helper()
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "upstream says hello")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, firstEvent)
		w.(http.Flusher).Flush()
		select {
		case <-held:
			_, _ = io.WriteString(w, lastEvents)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(release)
	return server.URL, release
}

// The versions of HTTP that the traffic listener serves.
var (
	http1 = (*http.Protocols).SetHTTP1
	http2 = (*http.Protocols).SetUnencryptedHTTP2
)

// stream is an answer of which the first event was read.
type stream struct{ body *bufio.Reader }

// openStreams opens n streams at once through the proxy at address, in the version
// of HTTP that set picks.
func openStreams(t *testing.T, address string, n int, set func(*http.Protocols, bool)) []stream {
	t.Helper()
	protocols := &http.Protocols{}
	set(protocols, true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: patience}
	streams, failures := make([]stream, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			failures[i] = func() error {
				response, err := client.Post("http://"+address+"/v1/chat/completions", "application/json",
					strings.NewReader(`{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
				if err != nil {
					return err
				}
				t.Cleanup(func() { response.Body.Close() })
				streams[i].body = bufio.NewReader(response.Body)
				first := make([]byte, len(firstEvent))
				if _, err := io.ReadFull(streams[i].body, first); err != nil || string(first) != firstEvent {
					return fmt.Errorf("status %d, began with %q: %w", response.StatusCode, first, err)
				}
				return nil
			}()
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	return streams
}

// rest reads the stream to its end.
func (s stream) rest() (string, error) {
	text, err := io.ReadAll(s.body)
	return string(text), err
}

func TestFiftyStreamsCompleteDuringADrain(t *testing.T) {
	upstream, release := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream)
	streams := append(openStreams(t, p.traffic, 25, http1), openStreams(t, p.traffic, 25, http2)...)
	if code, body := get(t, "http://"+p.admin+"/readyz"); code != 200 {
		t.Errorf("before: /readyz answers %d %s", code, body)
	}

	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	if code, body := get(t, "http://"+p.admin+"/readyz"); code != 503 {
		t.Errorf("draining: /readyz answers %d %s", code, body)
	}
	if code, body := get(t, "http://"+p.admin+"/healthz"); code != 200 {
		t.Errorf("draining: /healthz answers %d %s", code, body)
	}
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 503 || !strings.Contains(body, `"draining"`) {
		t.Errorf("draining: a new request is answered %d %s", code, body)
	}

	release()
	for i, s := range streams {
		if text, err := s.rest(); err != nil || text != lastEvents {
			t.Errorf("stream %d ended with %q, %v", i, text, err)
		}
	}
	p.awaitLog("drain: all requests finished")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStreamsThatOutlastTheDrainAreCutAndTheExitIsClean(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_DRAIN_TIMEOUT=50ms")
	streams := openStreams(t, p.traffic, 3, http1)
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: out of time, cancelling what still runs")
	for i, s := range streams {
		if text, err := s.rest(); err == nil || strings.Contains(text, "[DONE]") {
			t.Errorf("stream %d ended with %q as if all were well", i, text)
		}
	}
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestRequestsAreTakenDuringTheDrainDelay(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_DRAIN_DELAY=1h")
	p.signal(syscall.SIGTERM)
	p.awaitLog("drain: not ready any more, still taking requests")
	if code, body := get(t, "http://"+p.admin+"/readyz"); code != 503 {
		t.Errorf("/readyz answers %d %s", code, body)
	}
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 || body != "upstream says hello" {
		t.Errorf("a request is answered %d %s", code, body)
	}
	p.signal(syscall.SIGTERM)
	if code := p.exitCode(); code != 1 || !strings.Contains(p.output(), "outrigger: stopped at once by a second signal") {
		t.Errorf("exit code %d", code)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	upstream, _ := newStreams(t)
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_DRAIN_TIMEOUT=1h")
	streams := openStreams(t, p.traffic, 1, http2)
	p.signal(syscall.SIGINT)
	p.awaitLog("drain: refusing new requests, waiting for running ones")
	p.signal(syscall.SIGTERM)
	if code := p.exitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text, err := streams[0].rest(); err == nil {
		t.Errorf("the stream ended with %q as if all were well", text)
	}
}

func TestCtrlCStopsAnIdleProcessCleanly(t *testing.T) {
	p := startProcess(t)
	idle := &http.Client{Timeout: patience} // keeps its connection open
	response, err := idle.Get("http://" + p.admin + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	p.signal(syscall.SIGINT)
	p.awaitLog("stopped")
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
