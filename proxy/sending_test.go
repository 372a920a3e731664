package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// takes reads the request's body in ten pieces, the first after wait and each further one
// after pause, and answers after last.
func takes(wait, pause, last time.Duration) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		time.Sleep(wait) // the bubble's clock
		for range 9 {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/10)
			time.Sleep(pause)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(last)
		fine(w, r, n)
	}
}

// failing answers with 503 when s has read the request.
func failing(s script) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		s(httptest.NewRecorder(), r, n)
		apiError(503)(w, r, n)
	}
}

// firstly makes the first n calls those of first, and all others those of next.
func firstly(n int, before, next script) script {
	return func(w http.ResponseWriter, r *http.Request, call int) {
		if call <= n {
			before(w, r, call)
			return
		}
		next(w, r, call)
	}
}

// long is a body of 1 MiB: far more than a pipe or a transport's buffers hold.
var long = `{"model":"m","input":"` + strings.Repeat("x", 1<<20) + `"}`

func TestTimeInWhichTheBodyMovesIsNoSilence(t *testing.T) {
	const read = "X-Stainless-Read-Timeout: 6" // within 5.64 s
	attempt := func(c *settings.Config) { c.Timeouts.Attempt = 3 * time.Second }
	for name, tt := range map[string]struct {
		edit     func(*settings.Config)
		upstream script
		path     string
		headers  []string
		want     string // status, error code, calls, time
	}{
		"an upload of 9 s":               {nil, takes(0, time.Second, 0), "/v1/files", []string{read}, "200  1 9s"},
		"with a key":                     {nil, takes(0, time.Second, 0), "/v1/files", []string{read, "Idempotency-Key: k"}, "200  1 9s"},
		"rejoinable":                     {rejoins, takes(0, time.Second, 0), "/v1/embeddings", []string{read}, "200  1 9s"},
		"past a full spool":              {func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1<<16, 0 }, takes(0, time.Second, 0), "/v1/files", []string{read}, "200  1 9s"},
		"and 5 s to the answer":          {nil, takes(0, time.Second, 5*time.Second), "/v1/files", []string{read}, "200  1 14s"},
		"and 6 s to the answer":          {nil, takes(0, time.Second, 6*time.Second), "/v1/files", []string{read}, "424 upstream_ambiguous 1 14.64s"},
		"pauses of 5 s":                  {nil, takes(0, 5*time.Second, 0), "/v1/files", []string{read}, "200  1 45s"},
		"a pause of 6 s":                 {nil, takes(0, 6*time.Second, 0), "/v1/files", []string{read}, "504 upstream_timeout 1 5.64s"},
		"none taken for 6 s":             {nil, takes(6*time.Second, 0, 0), "/v1/files", []string{read}, "504 upstream_timeout 1 5.64s"},
		"a whole timeout":                {nil, takes(0, time.Second, 0), "/v1/files", []string{"X-Stainless-Timeout: 6"}, "504 upstream_timeout 1 5.64s"},
		"a whole timeout, sent in time":  {nil, takes(0, 500*time.Millisecond, 3*time.Second), "/v1/files", []string{"X-Stainless-Timeout: 6"}, "424 upstream_ambiguous 1 5.64s"},
		"a default timeout":              {nil, takes(0, 2*time.Minute, 0), "/v1/files", nil, "200  1 18m0s"},
		"a timeout that was set":         {func(c *settings.Config) { c.Timeouts.TotalSet = true }, takes(0, 2*time.Minute, 0), "/v1/files", nil, "504 upstream_timeout 1 9m59s"},
		"and a retry, which moves too":   {nil, firstly(1, failing(takes(0, time.Second, 0)), takes(0, time.Second, 0)), "/v1/embeddings", []string{read}, "200  2 18s"},
		"an attempt's timeout":           {attempt, takes(0, 2*time.Second, 2*time.Second), "/v1/embeddings", nil, "200  1 20s"},
		"an attempt's, from the last on": {func(c *settings.Config) { c.Timeouts.Attempt, c.Retry.Max = 3*time.Second, 1 }, takes(0, time.Second, 4*time.Second), "/v1/embeddings", nil, "200  2 25s"},
		"an attempt's and a pause":       {func(c *settings.Config) { c.Timeouts.Attempt, c.Retry.Max = 3*time.Second, 1 }, takes(0, 4*time.Second, 0), "/v1/embeddings", nil, "200  2 39s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) {
					c.Retry.Base, c.Retry.Cap = 0, 0
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				start := time.Now()
				resp, body := g.do(with(g.request("POST", tt.path, long), tt.headers...))
				took, code := time.Since(start).Round(time.Millisecond), ""
				if resp.StatusCode != 200 {
					code = errorCode(t, body)
				}
				if got := fmt.Sprint(resp.StatusCode, " ", code, " ", g.calls.Load(), " ", took); got != tt.want {
					t.Errorf("got %s, want %s: %s", got, tt.want, body)
				}
				time.Sleep(10 * time.Minute) // the bubble's clock: scripts end
			})
		})
	}
}

// slowBody is a body that comes in ten pieces, pause apart.
type slowBody struct {
	text  string
	pause time.Duration
	sent  int
}

func (s *slowBody) Read(p []byte) (int, error) {
	if s.sent == len(s.text) {
		return 0, io.EOF
	}
	if s.sent > 0 {
		time.Sleep(s.pause) // the bubble's clock
	}
	n := copy(p, s.text[s.sent:min(s.sent+len(s.text)/10+1, len(s.text))])
	s.sent += n
	return n, nil
}

func TestTimeInWhichTheCallersBodyComesIsNoSilence(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		status  int
		after   time.Duration
	}{
		"a read timeout":  {[]string{"X-Stainless-Read-Timeout: 6"}, 200, 23 * time.Second},
		"Node's fetch":    {[]string{"User-Agent: OpenAI/JS 6.1.0"}, 200, 23 * time.Second},
		"a whole timeout": {[]string{"X-Stainless-Timeout: 11"}, 504, 18 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, after(5*time.Second))
				r := with(g.request("POST", "/v1/chat/completions", chatBody), tt.headers...)
				r.Body, r.ContentLength = io.NopCloser(&slowBody{text: chatBody, pause: 2 * time.Second}), int64(len(chatBody))
				start := time.Now()
				resp, body := g.do(r)
				if took := time.Since(start); resp.StatusCode != tt.status || took != tt.after {
					t.Errorf("%d after %s, want %d after %s: %s", resp.StatusCode, took, tt.status, tt.after, body)
				}
			})
		})
	}
}

// On real sockets: what the system holds unsent must not look like a whole request.
func TestAnUploadIsSeenToMoveToTheLast(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the system takes what it likes")
	}
	const pieces, pause = 30, 100 * time.Millisecond
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
		for range pieces {
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/pieces)
			time.Sleep(pause) // an upstream that is slow in real time
		}
		fine(w, r, n)
	})
	resp, body := g.do(with(g.request("POST", "/v1/files", long+long), "X-Stainless-Read-Timeout: 1"))
	if resp.StatusCode != 200 || g.calls.Load() != 1 {
		t.Errorf("got %d after %d calls: %s", resp.StatusCode, g.calls.Load(), body)
	}
}
