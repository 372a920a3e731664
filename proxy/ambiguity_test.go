package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/settings"
)

// call is a request as a test names it.
type call struct{ method, path, body string }

func (c call) String() string { return c.method + " " + c.path + " " + c.body }

// creates is every kind of request that makes something (design: what an endpoint does).
func creates() []call {
	calls := []call{
		{"POST", "/v1/chat/completions", `{"model":"m","store":true,"messages":[]}`},
		{"POST", "/v1/responses", `{"model":"m","background":true,"input":"x"}`},
		{"POST", "/v1/responses", `{"model":"m","conversation":"conv_1","input":"x"}`},
		{"POST", "/v1/responses", `{"model":"m","tools":[{"type":"mcp","server_label":"x"}],"input":"x"}`},
		{"POST", "/v1/responses", `{"model":"m","tools":[{"type":"computer_use_preview"}],"input":"x"}`},
		{"POST", "/v1/responses", `{"model":"m","tools":[{"type":"local_shell"}],"input":"x"}`},
		{"PATCH", "/v1/anything", `{}`},
		{"POST", "/v1/conversations", ""}, // without a body net/http thinks it may repeat it
		{"POST", "/openai/deployments/d/unheard/of?api-version=1", `{}`},
		{"POST", "/v1/chat%2Fcompletions", `{}`},
	}
	for _, path := range []string{
		"files", "uploads", "uploads/u/parts", "uploads/u/complete", "batches", "fine_tuning/jobs", "vector_stores", "vector_stores/v/files",
		"vector_stores/v/file_batches", "assistants", "threads", "threads/t/messages", "threads/t/runs", "threads/runs",
		"threads/t/runs/r/submit_tool_outputs", "conversations", "conversations/c/items", "containers", "containers/c/files", "evals", "evals/e/runs",
		"videos", "videos/v/remix", "audio/voices", "realtime/sessions", "realtime/client_secrets", "realtime/calls", "chatkit/sessions", "something/new",
		"organization/projects", "messages/batches", "fine_tuning/checkpoints/c/permissions", "skills",
	} {
		calls = append(calls, call{"POST", "/v1/" + path, `{"a":1}`})
	}
	return calls
}

// repeatables are the requests that a repeat does no harm to.
func repeatables() []call {
	calls := []call{
		{"POST", "/v1/chat/completions", chatBody},
		{"POST", "/v1/chat/completions", `{"store":false}`},
		{"POST", "/v1/responses", `{"model":"m","input":"x","background":false,"conversation":null,"tools":[{"type":"function"},{"type":"web_search"}]}`},
		{"GET", "/v1/models", ""},
		{"HEAD", "/v1/models", ""},
		{"OPTIONS", "/v1/models", ""},
		{"DELETE", "/v1/files/f", ""},
		{"PUT", "/v1/anything", "{}"},
		{"POST", "/openai/deployments/d/chat/completions?api-version=1", `{}`},
	}
	for _, path := range []string{
		"completions", "embeddings", "moderations", "images/generations", "images/edits", "images/variations", "audio/speech", "audio/transcriptions",
		"audio/translations", "responses/compact", "responses/input_tokens", "messages", "rerank", "batches/b/cancel", "responses/r/cancel",
		"vector_stores/v/search", "assistants/a", "threads/t", "vector_stores/v", "evals/e", "conversations/c", "threads/t/runs/r/cancel",
	} {
		calls = append(calls, call{"POST", "/v1/" + path, `{"a":1}`})
	}
	return calls
}

// calling notes each request's key and body and then goes on with next.
type calling struct {
	mu     sync.Mutex
	keys   []string
	bodies []string
	next   script
}

func (c *calling) script(w http.ResponseWriter, r *http.Request, n int) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	c.keys = append(c.keys, fmt.Sprint(r.Header["Idempotency-Key"]))
	c.bodies = append(c.bodies, string(body))
	c.mu.Unlock()
	c.next(w, r, n)
}

// then fails the first calls and answers well after that.
func then(failures int, fail script) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if n <= failures {
			fail(w, r, n)
			return
		}
		fine(w, r, n)
	}
}

// try makes a call in a bubble and returns what the caller and the upstream saw.
func try(t *testing.T, c call, upstream script, edits ...func(*settings.Config)) (int, string, *calling) {
	t.Helper()
	status, body, seen := 0, "", &calling{next: upstream}
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, seen.script, append([]func(*settings.Config){func(c *settings.Config) { c.Limit.Learn = false }}, edits...)...)
		resp, text := g.do(g.request(c.method, c.path, c.body))
		status, body = resp.StatusCode, text
	})
	return status, body, seen
}

func apiError(status int) script {
	return answers(status, `{"error":{"message":"it failed","type":"server_error","param":null,"code":null}}`)
}

func TestACreateIsSentOnceWhenItMayHaveBeenCarriedOut(t *testing.T) {
	attemptTimeout := func(c *settings.Config) { c.Timeouts.Attempt = time.Second }
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		status   int
	}{
		"a connection that is closed": {hangUp, nil, 424},
		"an attempt's timeout":        {silence, attemptTimeout, 424},
		"headers and then nothing":    {streamOf("", broken), nil, 200},
		"half an answer": {func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Content-Length", "20")
			fine(w, r, n)
		}, nil, 424},
		"500":                                 {apiError(500), nil, 500},
		"502":                                 {apiError(502), nil, 502},
		"504":                                 {apiError(504), nil, 504},
		"520":                                 {apiError(520), nil, 520},
		"522":                                 {apiError(522), nil, 522},
		"524":                                 {apiError(524), nil, 524},
		"408 of the API":                      {answers(408, `{"error":{"code":"Timeout","message":"The operation was timeout."}}`), nil, 408},
		"503 that tells of a lost connection": {answers(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination"), nil, 503},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, c := range creates() {
				edits := []func(*settings.Config){}
				if tt.edit != nil {
					edits = append(edits, tt.edit)
				}
				status, body, seen := try(t, c, tt.upstream, edits...)
				if name == "headers and then nothing" && status == 424 {
					status = 200 // in a dialect that is known the missing end is noticed
				}
				if status != tt.status || len(seen.keys) != 1 {
					t.Errorf("%s got %d %s after %d calls, want %d after one", c, status, body, len(seen.keys), tt.status)
				}
			}
		})
	}
}

func TestACreateIsSentAgainWhenItSurelyWasNotCarriedOut(t *testing.T) {
	for name, fail := range map[string]script{
		"429":                                   answers(429, `{"error":{"message":"Rate limit reached. Please try again in 20ms.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`),
		"503":                                   apiError(503),
		"409":                                   apiError(409),
		"521":                                   apiError(521),
		"523":                                   apiError(523),
		"525":                                   apiError(525),
		"526":                                   apiError(526),
		"529":                                   apiError(529),
		"408 of a web server":                   answers(408, "<html>Request Timeout</html>"),
		"503 of a proxy that had no connection": answers(503, "upstream connect error or disconnect/reset before headers. reset reason: connection failure"),
		"502 of aiand":                          answers(502, `{"error":{"message":"Failed to reach the model inference layer.","type":"bad_gateway","param":null,"code":null}}`),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range creates() {
				status, body, seen := try(t, c, then(2, fail))
				if status != 200 || len(seen.keys) != 3 {
					t.Errorf("%s got %d %s after %d calls, want 200 after three", c, status, body, len(seen.keys))
				}
				seen.same(t, c, true)
			}
		})
	}
}

// same checks that all attempts of a call carried one body, and keys made here: one, or after
// whole answers one each.
func (c *calling) same(t *testing.T, sent call, answered bool) {
	t.Helper()
	keys := 1
	if answered && sent.method == "POST" {
		keys = len(c.keys)
	}
	if len(slices.Compact(slices.Clone(c.keys))) != keys || sent.method == "POST" && len(c.keys[0]) < 10 || sent.method != "POST" && c.keys[0] != "[]" {
		t.Errorf("%s was sent with the keys %q", sent, c.keys)
	}
	for _, body := range c.bodies {
		if body != sent.body {
			t.Errorf("%s was sent with the body %q", sent, body)
		}
	}
}

func TestWhatARepeatDoesNoHarmToIsRepeated(t *testing.T) {
	attemptTimeout := func(c *settings.Config) { c.Timeouts.Attempt = time.Second }
	for name, tt := range map[string]struct {
		fail script
		edit func(*settings.Config)
	}{
		"a connection that is closed": {hangUp, nil},
		"an attempt's timeout":        {silence, attemptTimeout},
		"half an answer": {func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Content-Length", "20")
			fine(w, r, n)
		}, nil},
		"500": {apiError(500), nil},
		"502": {apiError(502), nil},
		"520": {apiError(520), nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range repeatables() {
				if c.method == "HEAD" && name == "half an answer" {
					continue // it has none
				}
				edits := []func(*settings.Config){}
				if tt.edit != nil {
					edits = append(edits, tt.edit)
				}
				status, body, seen := try(t, c, then(2, tt.fail), edits...)
				if status != 200 || len(seen.keys) != 3 {
					t.Errorf("%s got %d %s after %d calls, want 200 after three", c, status, body, len(seen.keys))
				}
				seen.same(t, c, strings.HasPrefix(name, "5"))
			}
		})
	}
}

func TestAComputeThatTimedOutAtAGatewayIsRepeatedOnce(t *testing.T) {
	for _, status := range []int{504, 524} {
		for _, c := range []call{{"POST", "/v1/chat/completions", chatBody}, {"POST", "/v1/embeddings", `{}`}, {"POST", "/v1/images/edits", `{}`}, {"GET", "/v1/models", ""}} {
			for after, want := range map[time.Duration]int64{0: 5, 10 * time.Second: 2} {
				if c.method == http.MethodGet {
					want = 5
				}
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
						time.Sleep(after) // the bubble's clock
						apiError(status)(w, r, n)
					})
					if resp, _ := g.do(g.request(c.method, c.path, c.body)); resp.StatusCode != status || g.calls.Load() != want {
						t.Errorf("%s got %d after %d calls that took %v, want %d after %d", c, resp.StatusCode, g.calls.Load(), after, status, want)
					}
				})
			}
		}
	}
}

func TestCreatesAreRepeatedOnTheOperatorsWord(t *testing.T) {
	always := func(c *settings.Config) { c.Retry.Creates = policy.CreatesAlways }
	for name, fail := range map[string]script{"closed": hangUp, "500": apiError(500), "502": apiError(502)} {
		for _, c := range creates() {
			if status, _, seen := try(t, c, then(2, fail), always); status != 200 || len(seen.keys) != 3 {
				t.Errorf("%s: %s got %d after %d calls, want 200 after three", name, c, status, len(seen.keys))
			} else {
				seen.same(t, c, false)
			}
		}
	}
	file := call{"POST", "/v1/files", "{}"}
	t.Run("and an error tells that one may have been carried out", func(t *testing.T) {
		status, body, seen := try(t, file, hangUp, always)
		if status != 424 || errorCode(t, body) != "upstream_ambiguous" || len(seen.keys) != 5 {
			t.Errorf("got %d %s after %d calls", status, body, len(seen.keys))
		}
	})
	t.Run("also when the last attempt did not get there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var g *rig
			g = newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
				g.behind.Close()
				hangUp(w, r, n)
			}, always)
			resp, body := g.do(g.request(file.method, file.path, file.body))
			if resp.StatusCode != 424 || errorCode(t, body) != "upstream_ambiguous" || g.calls.Load() != 1 {
				t.Errorf("got %d %s after %d calls", resp.StatusCode, body, g.calls.Load())
			}
		})
	})
	t.Run("or could not be made in time", func(t *testing.T) {
		status, body, _ := try(t, file, hangUp, always, func(c *settings.Config) {
			c.Retry.Base, c.Retry.Cap, c.Timeouts.Total = time.Hour, time.Hour, 10*time.Second
		})
		if status != 424 || errorCode(t, body) != "upstream_ambiguous" {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("or the breaker is open by then", func(t *testing.T) {
		status, body, seen := try(t, file, hangUp, always, func(c *settings.Config) {
			c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = 1, time.Hour, time.Second
		})
		if status != 424 || errorCode(t, body) != "upstream_ambiguous" || len(seen.keys) != 1 {
			t.Errorf("got %d %s after %d calls", status, body, len(seen.keys))
		}
	})
}

// A reset tears the connection down at any point; one request only ever arrives.
func TestAResetDoesNotMakeTwo(t *testing.T) {
	for name, reset := range map[string]func(c *rawConn, t *testing.T){
		"after the work":                 func(c *rawConn, t *testing.T) { readRequest(t, c); c.reset() },
		"after the headers":              func(c *rawConn, t *testing.T) { _, _ = c.r.ReadString('\n'); c.reset() },
		"within the answer's first line": func(c *rawConn, t *testing.T) { readRequest(t, c); c.say("HTT"); c.reset() },
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []call{{"POST", "/v1/files", chatBody}, {"POST", "/v1/conversations", ""}, {"POST", "/v1/batches", string(make([]byte, 2<<20))}} {
				u := &rawUpstream{}
				u.serve(t, func(c *rawConn) { reset(c, t) })
				g := newRigAt(t, u.URL)
				resp, body := g.do(g.request(c.method, c.path, c.body))
				status, code, conns := 424, "upstream_ambiguous", int64(1)
				if name == "after the headers" && len(c.body) > len(chatBody) {
					status, code, conns = 502, "upstream_broke", 5 // a part of it arrives each time, which nobody carries out
				}
				if resp.StatusCode != status || errorCode(t, body) != code || u.conns.Load() != conns {
					t.Errorf("%s %s got %d %s on %d connections", c.method, c.path, resp.StatusCode, body, u.conns.Load())
				}
			}
		})
	}
}

// An upstream that hangs up on every connection reads nothing, and what was never
// written may go again; what was is not.
func TestAnUpstreamThatHangsUpAtOnceGetsNoMoreThanItsAttempts(t *testing.T) {
	for name, end := range map[string]func(c *rawConn){"reset": (*rawConn).reset, "closed": func(*rawConn) {}} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				u := &rawUpstream{}
				u.serve(t, end)
				g := newRigAt(t, u.URL)
				resp, body := g.do(g.request(http.MethodPost, "/v1/files", "{}"))
				code, attempts := errorCode(t, body), resp.Header.Get("X-Outrigger-Attempts")
				if code != "upstream_ambiguous" && attempts != "5" || attempts != fmt.Sprint(u.conns.Load()) {
					t.Errorf("got %d %s after %d connections", resp.StatusCode, body, u.conns.Load())
				}
			}
		})
	}
}

func readRequest(t *testing.T, c *rawConn) {
	r, err := http.ReadRequest(c.r)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestAConnectionThatCannotBeHadIsTriedAgain(t *testing.T) {
	for _, c := range []call{{"POST", "/v1/files", "{}"}, {"POST", "/v1/chat/completions", chatBody}, {"GET", "/v1/models", ""}} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, fine)
			var dials int
			for _, transport := range []http.RoundTripper{g.proxy.gen().Upstreams[0].Pooled, g.proxy.gen().Upstreams[0].Fresh} {
				dial := transport.(*http.Transport).DialContext
				transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					if dials++; dials <= 2 {
						return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
					}
					return dial(ctx, network, address)
				}
			}
			resp, body := g.do(g.request(c.method, c.path, c.body))
			if resp.StatusCode != 200 || g.calls.Load() != 1 || resp.Header.Get("X-Outrigger-Attempts") != "3" {
				t.Errorf("%s got %d %s after %s attempts", c, resp.StatusCode, body, resp.Header.Get("X-Outrigger-Attempts"))
			}
		})
	}
}

func TestTheCallersOwnKeyIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []http.Header
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			got = append(got, r.Header.Clone())
			then(1, apiError(503))(w, r, n)
		})
		g.do(with(g.request("POST", "/v1/files", "{}"), "Idempotency-Key: mine", "X-Idempotency-Key: mine too"))
		if len(got) != 2 {
			t.Fatalf("%d calls", len(got))
		}
		for i, h := range got {
			if fmt.Sprint(h["Idempotency-Key"], h["X-Idempotency-Key"]) != "[mine] [mine too]" {
				t.Errorf("attempt %d had the keys %v %v", i+1, h["Idempotency-Key"], h["X-Idempotency-Key"])
			}
		}
	})
}

func TestNoTwoRequestsShareAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &calling{next: fine}
		g := newBubble(t, seen.script, func(c *settings.Config) { c.Limit.Learn = false })
		h := newBubble(t, seen.script, func(c *settings.Config) { c.Limit.Learn = false })
		for range 50 {
			g.chat()
			h.chat()
		}
		slices.Sort(seen.keys)
		if n := len(slices.Compact(seen.keys)); n != 100 {
			t.Errorf("%d keys for 100 requests", n)
		}
	})
}

// Over HTTP/2 the news that the headers were written comes after the writing, and a
// timeout may come between the two.
func TestATimeoutOnAConnectionIsNeverTakenForUnsent(t *testing.T) {
	a := &attempt.Attempt{}
	a.Progress.Connected.Store(true)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(apierror.ErrAttemptTimeout)
	if a.Fail(ctx, apierror.ErrAttemptTimeout); a.Failure != classify.Timeout || a.Reached() != classify.Sent {
		t.Errorf("failure %d, reached %d", a.Failure, a.Reached())
	}
}
