package idempotency

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/test/process"
)

// full: the tests take as long, and are as large, as they were meant to be.
var full = os.Getenv("OUTRIGGER_TEST_CROWD") == "full"

func scaled[T int | time.Duration](size, fullSize T) T {
	if full {
		return fullSize
	}
	return size
}

func TestMain(m *testing.M) {
	code := m.Run()
	process.Remove()
	os.Exit(code)
}

// newSim starts a simulated upstream and returns its URL without /v1.
func newSim(t *testing.T, c sim.Config) (*sim.Sim, string) {
	t.Helper()
	s := sim.New(c)
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, strings.TrimSuffix(base, "/v1")
}

// sidecar is an outrigger that can be killed and started again at the same address.
type sidecar struct {
	*process.Process
	base  string // of the traffic listener, with /v1
	admin string

	environment []string
}

func newSidecar(t *testing.T, upstream, store string, environment ...string) *sidecar {
	t.Helper()
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	s := &sidecar{base: "http://" + traffic + "/v1", admin: "http://" + admin}
	s.environment = append([]string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_UPSTREAMS=sim=" + upstream,
		"OUTRIGGER_STORE=" + store, "OUTRIGGER_IDEMPOTENCY_BYTES=1GiB", "OUTRIGGER_LEARN=false", "OUTRIGGER_LOG_LEVEL=warn",
		"OUTRIGGER_RETRY_BUDGET=1", "OUTRIGGER_LOG_FORMAT=json",
	}, environment...)
	s.run(t)
	return s
}

// run starts the sidecar, the first time or after a kill.
func (s *sidecar) run(t *testing.T) {
	t.Helper()
	s.Process = process.Start(t, s.environment, process.Binary(t))
	s.Ready(t, s.admin+"/readyz")
}

// client is a caller's, which waits long enough for everything.
var client = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// Kinds of calls.
const (
	create = "create" // an upload
	chat   = "chat"
	stream = "stream"
)

var kinds = []string{create, chat, create, stream}

// answer is what a caller got.
type answer struct {
	status int
	source string
	code   string // of an error
	alone  bool   // made without the store
	body   string
	err    error // also when the answer was not whole
}

// call makes a call. Each try of an upload has another boundary, as SDKs have it.
func call(ctx context.Context, base, kind, name, key string) answer {
	path, contentType, body := "/chat/completions", "application/json",
		fmt.Appendf(nil, `{"model":"gpt-4o-mini","stream":%t,"messages":[{"role":"user","content":%q}]}`, kind == stream, name)
	if kind == create {
		path = "/files"
		contentType, body = upload(name)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	r.Header = http.Header{"Authorization": {"Bearer sk-caller"}, "Content-Type": {contentType}, "X-Sim-Request": {name}}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, source: response.Header.Get("X-Outrigger-Source"), alone: response.Header.Get("X-Outrigger-Idempotency") != "", body: string(text), err: err}
	if a.status == http.StatusOK && kind == stream && !strings.HasSuffix(strings.TrimSpace(a.body), "[DONE]") {
		a.err = errors.Join(err, errors.New("the stream has no end"))
	}
	var told struct{ Error struct{ Code string } }
	if a.status >= 400 && json.Unmarshal(text, &told) == nil {
		a.code = told.Error.Code
	}
	return a
}

func upload(name string) (string, []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("purpose", "batch")
	part, _ := w.CreateFormFile("file", name+".jsonl")
	_, _ = io.WriteString(part, `{"custom_id":"`+name+`"}`)
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// tally counts outcomes by name. Safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: make(map[string]int)} }

func (c *tally) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[name]++
}

func (c *tally) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[name]
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.counts)
}

// twice complains of each create that was carried out more than once.
func twice(t *testing.T, s *sim.Sim) {
	t.Helper()
	n := 0
	for _, d := range s.Duplicates() {
		if strings.HasPrefix(d.Identity.Request, create) {
			if n++; n <= 5 {
				t.Errorf("done %d times: %+v", d.Works, d)
			}
		}
	}
	if n > 5 {
		t.Errorf("%d creates were done more than once", n)
	}
}

// wait waits, unless the test ends first.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
