package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
	"outrigger/policy"
	"outrigger/proxy/access"
	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/settings"
)

// keyedRequest is a request with an Idempotency-Key.
func (g *rig) keyed(key, path, body string, headers ...string) *http.Request {
	return with(g.request(http.MethodPost, path, body), append(headers, "Idempotency-Key: "+key)...)
}

// given is an answer as a caller of the step sees it.
type given struct {
	status                  int
	source, attempts, retry string
	stored                  string // x-outrigger-idempotency
	body                    string
}

func givenBy(resp *http.Response, body string) given {
	h := resp.Header
	return given{resp.StatusCode, h.Get("X-Outrigger-Source"), h.Get("X-Outrigger-Attempts"), h.Get("X-Should-Retry"), h.Get("X-Outrigger-Idempotency"), body}
}

// ask sends a request and returns what was given, the error's code in place of the
// body of an error of Outrigger's own.
func (g *rig) ask(r *http.Request) given {
	g.t.Helper()
	resp, body := g.do(r)
	if resp.Header.Get("X-Outrigger-Source") == "local" {
		body = errorCode(g.t, body)
	}
	return givenBy(resp, body)
}

// counted reports how often the step counted a result.
func (g *rig) counted(result string) string {
	for line := range strings.Lines(g.metricsText()) {
		if n, ok := strings.CutPrefix(line, fmt.Sprintf("outrigger_idempotency_total{result=%q} ", result)); ok {
			return strings.TrimSpace(n)
		}
	}
	return "0"
}

// numbered answers each call with its number, after a while.
func numbered(after time.Duration) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(after)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("X-Request-Id", "req_1")
		_, _ = fmt.Fprintf(w, `{"call":%d}`, n)
	}
}

const secondStream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

func TestTheSameKeyGetsTheFirstAnswer(t *testing.T) {
	tests := map[string]struct {
		upstream   script
		path, body string
		want       string
	}{
		"JSON":     {numbered(0), "/v1/chat/completions", chatBody, `{"call":1}`},
		"a create": {numbered(0), "/v1/files", `{"a":1}`, `{"call":1}`},
		"a stream": {streamOf(delta("a")+secondStream, clean), "/v1/chat/completions", streamBody, delta("a") + secondStream},
		"nothing":  {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(204) }, "/v1/files", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream)
				first, body := g.do(g.keyed("k1", tt.path, tt.body))
				if got := givenBy(first, body); got != (given{first.StatusCode, "upstream", "1", "", "", tt.want}) || first.StatusCode/100 != 2 {
					t.Errorf("first %+v", got)
				}
				second, body := g.do(g.keyed("k1", tt.path, tt.body))
				if got := givenBy(second, body); got != (given{first.StatusCode, "replay", "0", "", "", tt.want}) {
					t.Errorf("second %+v", got)
				}
				for _, name := range []string{"Content-Type", "X-Request-Id", "Date", "Content-Length"} {
					if got, want := second.Header.Get(name), first.Header.Get(name); got != want && name != "Content-Length" {
						t.Errorf("%s: %q at first, then %q", name, want, got)
					}
				}
				if second.Header.Get("Set-Cookie") != "" || second.Header.Get("X-Outrigger-Request-Id") == first.Header.Get("X-Outrigger-Request-Id") {
					t.Errorf("the second answer has headers of the first: %v", second.Header)
				}
				if g.calls.Load() != 1 || g.counted("stored") != "1" || g.counted("replayed") != "1" {
					t.Errorf("%d calls, %s stored, %s replayed", g.calls.Load(), g.counted("stored"), g.counted("replayed"))
				}
				if log := g.log.String(); !strings.Contains(log, `"idempotency":"stored"`) || !strings.Contains(log, `"idempotency":"replayed"`) {
					t.Errorf("the log does not tell what became of the key: %s", log)
				}
			})
		})
	}
}

func TestAKeyBelongsToOneCallOfOneCaller(t *testing.T) {
	tests := map[string]struct {
		edit func(*http.Request)
		want given
	}{
		"another body": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(chatBody, "hi", "ho", 1)))
		}, given{422, "local", "0", "false", "", "idempotency_key_reused"}},
		"another path":                       {func(r *http.Request) { r.URL.Path = "/v1/completions" }, given{422, "local", "0", "false", "", "idempotency_key_reused"}},
		"another query":                      {func(r *http.Request) { r.URL.RawQuery = "a=1" }, given{422, "local", "0", "false", "", "idempotency_key_reused"}},
		"another method":                     {func(r *http.Request) { r.Method = http.MethodPatch }, given{422, "local", "0", "false", "", "idempotency_key_reused"}},
		"a named upstream":                   {func(r *http.Request) { r.URL.Path = "/@openai/v1/chat/completions" }, given{422, "local", "0", "false", "", "idempotency_key_reused"}},
		"another header":                     {func(r *http.Request) { r.Header.Set("X-Stainless-Retry-Count", "1") }, given{200, "replay", "0", "", "", `{"call":1}`}},
		"another credential":                 {func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk-other") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"another project":                    {func(r *http.Request) { r.Header.Set("OpenAI-Project", "p") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"another token":                      {func(r *http.Request) { r.Header.Set("X-Outrigger-Token", "two") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"another token, as of a proxy":       {func(r *http.Request) { r.Header.Set("Proxy-Authorization", "Bearer two") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"another key":                        {func(r *http.Request) { r.Header.Set("Idempotency-Key", "k2") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"no key":                             {func(r *http.Request) { r.Header.Del("Idempotency-Key") }, given{200, "upstream", "1", "", "", `{"call":2}`}},
		"a method that is idempotent itself": {func(r *http.Request) { r.Method = http.MethodPut }, given{200, "upstream", "1", "", "", `{"call":2}`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, numbered(0), func(c *settings.Config) {
					c.Callers.Tokens = []values.Secret{values.NewSecret("one"), values.NewSecret("two")}
					c.Upstreams[0].APIKey = values.NewSecret("sk-injected") // all callers look alike upstream
				})
				g.ask(g.keyed("k1", "/v1/chat/completions", chatBody, "X-Outrigger-Token: one"))
				r := g.keyed("k1", "/v1/chat/completions", chatBody, "X-Outrigger-Token: one")
				tt.edit(r)
				if got := g.ask(r); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
			})
		})
	}
}

// Nothing of a call is sent again, however many ask for it at once.
func TestCallsAtOnceGetOneAnswer(t *testing.T) {
	stream := delta("a") + secondStream
	tests := map[string]struct {
		upstream   script
		path, body string
		want       string
		status     int
		cut        bool
	}{
		"JSON":             {numbered(time.Second), "/v1/chat/completions", chatBody, `{"call":1}`, 200, false},
		"a create":         {numbered(time.Second), "/v1/files", `{"a":1}`, `{"call":1}`, 200, false},
		"a stream":         {slowly(stream, clean), "/v1/chat/completions", streamBody, stream, 200, false},
		"a refusal":        {later(time.Second, answers(400, `{"error":{"message":"no"}}`)), "/v1/chat/completions", chatBody, `{"error":{"message":"no"}}`, 400, false},
		"an error":         {later(time.Second, hangUp), "/v1/files", `{"a":1}`, "upstream_ambiguous", 424, false},
		"a stream cut off": {slowly(delta("a"), broken), "/v1/chat/completions", streamBody, delta("a"), 200, true},
	}
	for name, tt := range tests {
		for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
			t.Run(name+"/"+version, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, tt.upstream, func(c *settings.Config) { c.Limit.RPM, c.Retry.Max = 1, 0 })
					client := g.client
					if h2 {
						client = g.h2()
					}
					start := time.Now()
					var mu sync.Mutex
					seen := map[string]int{}
					var all sync.WaitGroup
					for i := range 8 {
						all.Go(func() {
							time.Sleep(time.Duration(i) * 100 * time.Millisecond)
							resp, err := client.Do(g.keyed("k", tt.path, tt.body))
							if err != nil {
								t.Error(err)
								return
							}
							defer resp.Body.Close()
							body, err := io.ReadAll(resp.Body)
							if resp.StatusCode != tt.status || (err != nil) != tt.cut || !strings.Contains(string(body), tt.want) {
								t.Errorf("status %d, body %q, %v", resp.StatusCode, body, err)
							}
							if resp.Header.Get("X-Outrigger-Source") == "replay" && resp.Header.Get("Set-Cookie") != "" {
								t.Error("another caller's cookie was given")
							}
							mu.Lock()
							defer mu.Unlock()
							seen[resp.Header.Get("X-Outrigger-Source")+" "+resp.Header.Get("X-Outrigger-Attempts")]++
							seen[string(body)]++
						})
					}
					all.Wait()
					synctest.Wait()
					if len(seen) != 3 || g.calls.Load() != 1 {
						t.Errorf("%d calls, seen %v, want one, and one body", g.calls.Load(), seen)
					}
					if took := time.Since(start); took > 10*time.Second {
						t.Errorf("it took %v: those who wait asked the limiter", took)
					}
					if n := g.inflight(); n != 0 {
						t.Errorf("%d requests are in flight", n)
					}
					if memory, _ := g.held(); memory != 0 {
						t.Errorf("%d bytes are held", memory)
					}
				})
			})
		}
	}
}

// later answers after a while.
func later(d time.Duration, s script) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		time.Sleep(d)
		s(w, r, n)
	}
}

// slowly streams text in two parts, a second before each, and ends.
func slowly(text string, end func()) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		half := strings.Index(text, "\n\n") + 2
		for _, part := range []string{text[:half], text[half:]} {
			time.Sleep(time.Second)
			trickle(w, "text/event-stream", part)
		}
		end()
	}
}

func TestWhoAsksAgainGetsWhatIsThereOfAStreamAtOnceAndThenFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, slowly(delta("a")+secondStream, clean))
		g.background(g.keyed("k", "/v1/chat/completions", streamBody))
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		resp, err := g.client.Do(g.keyed("k", "/v1/chat/completions", streamBody))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		part := make([]byte, len(delta("a")))
		if _, err := io.ReadFull(resp.Body, part); err != nil || string(part) != delta("a") || time.Since(start) != 0 {
			t.Errorf("after %v: %q, %v", time.Since(start), part, err)
		}
		rest, err := io.ReadAll(resp.Body)
		if err != nil || string(rest) != secondStream || time.Since(start) != 500*time.Millisecond {
			t.Errorf("after %v: %q, %v", time.Since(start), rest, err)
		}
	})
}

func TestAFailureIsNotStored(t *testing.T) {
	tests := map[string]struct {
		upstream script
		path     string
		want     given
	}{
		"a refusal":                         {then(1, answers(400, `{}`)), "/v1/files", given{200, "upstream", "1", "", "", "done"}},
		"a failure of a compute":            {then(1, apiError(500)), "/v1/chat/completions", given{200, "upstream", "1", "", "", "done"}},
		"a lost answer of a compute":        {then(1, hangUp), "/v1/chat/completions", given{200, "upstream", "1", "", "", "done"}},
		"a stream that ends in an error":    {then(1, streamOf(delta("a")+"data: {\"error\":{\"message\":\"no\"}}\n\n", clean)), "/v1/chat/completions", given{200, "upstream", "1", "", "", "done"}},
		"a create that was not carried out": {then(1, apiError(503)), "/v1/files", given{200, "upstream", "1", "", "", "done"}},
		"a create that may have been":       {then(1, apiError(500)), "/v1/files", given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}},
		"a lost answer of a create":         {then(1, hangUp), "/v1/files", given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}},
		"one that is not to be sent again":  {then(1, answers(500, `{}`, "X-Should-Retry", "false")), "/v1/files", given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}},
		"one that failed for hours":         {then(1, answers(500, `{}`, "Retry-After", "9000")), "/v1/files", given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}},
		"a refusal that is never to change": {then(1, answers(403, `{}`, "X-Should-Retry", "false")), "/v1/files", given{200, "upstream", "1", "", "", "done"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) { c.Retry.Max = 0 })
				first, err := g.client.Do(g.keyed("k", tt.path, chatBody))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, first.Body) // a stream that failed has no clean end
				first.Body.Close()
				got := g.ask(g.keyed("k", tt.path, chatBody))
				if got.status == 200 {
					got.body = "done"
				}
				if got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
			})
		})
	}
}

func TestAnUnknownCreateSaysWhatIsKnownAndHowToGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, hangUp)
		began := time.Now()
		g.do(g.keyed("k", "/v1/files", `{}`))
		time.Sleep(90 * time.Second)
		resp, body := g.do(g.keyed("k", "/v1/files", `{}`))
		localError{409, "conflict_error", "idempotency_outcome_unknown", "0", "", true, true, []string{
			began.UTC().Format(time.RFC3339), "1m30s ago", "its answer was lost", "list the objects", "new key",
		}}.check(t, resp, body)
	})
}

// Where the upstream recognises repeats, a lost create may be sent again.
func TestALostCreateMayBeAskedAgainWhereTheUpstreamKnowsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, then(1, hangUp), func(c *settings.Config) { c.Retry.Creates, c.Retry.Max = policy.CreatesAlways, 0 })
		g.do(g.keyed("k", "/v1/files", `{}`))
		if got := g.ask(g.keyed("k", "/v1/files", `{}`)); got.status != 200 || g.calls.Load() != 2 {
			t.Errorf("got %+v after %d calls", got, g.calls.Load())
		}
	})
}

func TestKeysThatCannotBeUsedAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(0))
		for name, keys := range map[string][]string{"empty": {""}, "too long": {strings.Repeat("k", 256)}, "two": {"a", "b"}} {
			r := g.request("POST", "/v1/files", `{}`)
			r.Header["Idempotency-Key"] = keys
			if got := g.ask(r); got != (given{400, "local", "0", "false", "", "bad_request"}) {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := g.ask(g.keyed(strings.Repeat("k", 255), "/v1/files", `{}`)); got.status != 200 {
			t.Errorf("the longest key that is allowed: %+v", got)
		}
		if n := g.counted("invalid"); n != "3" {
			t.Errorf("%s counted", n)
		}
	})
}

// A form is the same call whatever boundary the client drew for it this time.
func TestAFormWithAnotherBoundaryIsTheSameCall(t *testing.T) {
	form := func(content string) (string, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("purpose", "batch")
		part, _ := w.CreateFormFile("file", "a.jsonl")
		_, _ = io.WriteString(part, content)
		_ = w.Close()
		return w.FormDataContentType(), b.String()
	}
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(0))
		var got []given
		for _, content := range []string{"{}", "{}", "[]"} {
			kind, body := form(content)
			got = append(got, g.ask(g.keyed("k", "/v1/files", body, "Content-Type: "+kind)))
		}
		want := []given{{200, "upstream", "1", "", "", `{"call":1}`}, {200, "replay", "0", "", "", `{"call":1}`}, {422, "local", "0", "false", "", "idempotency_key_reused"}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// A caller that gives up after 1 s on a call of 3 s, and asks again, gets the answer
// of the one call, whatever the way in which it gave up.
func TestACallWithAKeyGoesOnWhenItsCallerLeaves(t *testing.T) {
	tests := map[string]struct {
		path, body string
		upstream   script
		announces  bool
		want       string
	}{
		"that hangs up":                      {"/v1/chat/completions", chatBody, numbered(3 * time.Second), false, `{"call":1}`},
		"that announced its timeout":         {"/v1/chat/completions", chatBody, numbered(3 * time.Second), true, `{"call":1}`},
		"that hangs up on a create":          {"/v1/files", `{}`, numbered(3 * time.Second), false, `{"call":1}`},
		"that announced it for a create":     {"/v1/files", `{}`, numbered(3 * time.Second), true, `{"call":1}`},
		"that hangs up on a stream":          {"/v1/chat/completions", streamBody, later(2*time.Second, slowly(delta("a")+secondStream, clean)), false, delta("a") + secondStream},
		"that hangs up on a begun stream":    {"/v1/chat/completions", streamBody, slowly(delta("a")+secondStream+": more\n\n", clean), false, delta("a") + secondStream + ": more\n\n"},
		"that hangs up on a retried call":    {"/v1/chat/completions", chatBody, later(time.Second, then(1, apiError(503))), false, ""},
		"that hangs up on a whole held call": {"/v1/chat/completions", chatBody, numbered(time.Second), false, `{"call":1}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, func(c *settings.Config) { c.Retry.Base, c.Retry.Cap = 0, 0 })
				r := g.keyed("k", tt.path, tt.body)
				if tt.announces {
					got := g.ask(with(r, "X-Stainless-Read-Timeout: 1"))
					if got != (given{409, "local", "1", "", "", "idempotency_key_in_use"}) {
						t.Errorf("at its deadline it got %+v", got)
					}
				} else {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					resp, err := g.client.Do(r.WithContext(ctx))
					if err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					if !errors.Is(err, context.DeadlineExceeded) && name != "that hangs up on a whole held call" {
						t.Fatalf("the caller ended with %v", err)
					}
				}
				synctest.Wait()
				if n := g.inflight(); n != 1 && name != "that hangs up on a whole held call" {
					t.Errorf("%d requests are in flight when the caller has left, want the call", n)
				}
				calls := g.calls.Load()
				got := g.ask(g.keyed("k", tt.path, tt.body, "X-Stainless-Read-Timeout: 600"))
				if tt.want == "" {
					tt.want, calls = got.body, 2
				}
				if got != (given{200, "replay", "0", "", "", tt.want}) || g.calls.Load() != calls {
					t.Errorf("the retry got %+v after %d calls", got, g.calls.Load())
				}
				synctest.Wait()
				if n := g.inflight(); n != 0 {
					t.Errorf("%d requests are in flight", n)
				}
				if memory, _ := g.held(); memory != 0 {
					t.Errorf("%d bytes are held", memory)
				}
			})
		})
	}
}

func TestACallThatNobodyWaitsForEndsAtTheTimeout(t *testing.T) {
	for name, upstream := range map[string]script{
		"silent": silence,
		"a stream": func(w http.ResponseWriter, r *http.Request, n int) {
			trickle(w, "text/event-stream", delta("a"))
			silence(w, r, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := time.Time{}
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					defer func() { ended = time.Now() }()
					upstream(w, r, n)
				}, func(c *settings.Config) { c.Timeouts.Total, c.Timeouts.StreamIdle = time.Minute, 0 })
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if resp, err := g.client.Do(g.keyed("k", "/v1/chat/completions", streamBody).WithContext(ctx)); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if took := ended.Sub(began); took < 50*time.Second || took > time.Minute {
					t.Errorf("the call ended after %v, want a minute at most", took)
				}
				if log := g.log.String(); !strings.Contains(log, "call ended without its caller") {
					t.Errorf("the log has no line of its end: %s", log)
				}
			})
		})
	}
}

func TestAnotherRequestUnderAKeyThatIsInUseIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(10*time.Second))
		g.background(g.keyed("k", "/v1/files", `{}`))
		synctest.Wait()
		if n := g.inflight(); n != 1 {
			t.Errorf("%d requests are in flight, want the one with its call", n)
		}
		start := time.Now()
		resp, body := g.do(g.keyed("k", "/v1/files", `[]`))
		localError{422, "invalid_request_error", "idempotency_key_reused", "0", "", true, false, []string{"another request", "new key"}}.check(t, resp, body)
		if took := time.Since(start); took != 0 {
			t.Errorf("after %v", took)
		}
		time.Sleep(10 * time.Second) // for the first call to end
	})
}

// OUTRIGGER_TIMEOUT ends a call for which nobody waits, not one that somebody reads.
func TestACallThatIsReadAgainIsNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := delta("a") + secondStream
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			trickle(w, "text/event-stream", delta("a"))
			time.Sleep(3 * time.Minute)
			_, _ = io.WriteString(w, secondStream)
		}, func(c *settings.Config) { c.Timeouts.Total = time.Minute })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if resp, err := g.client.Do(g.keyed("k", "/v1/chat/completions", streamBody).WithContext(ctx)); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		time.Sleep(time.Second)
		if got := g.ask(g.keyed("k", "/v1/chat/completions", streamBody)); got != (given{200, "replay", "0", "", "", text}) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWhoWaitsLeavesAtItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(10*time.Second))
		g.background(g.keyed("k", "/v1/files", `{}`))
		synctest.Wait()
		start := time.Now()
		resp, body := g.do(g.keyed("k", "/v1/files", `{}`, "X-Stainless-Read-Timeout: 5"))
		localError{409, "conflict_error", "idempotency_key_in_use", "0", "1", false, false, []string{"same key", "4.8s"}}.check(t, resp, body)
		if took := time.Since(start); took != 4750*time.Millisecond {
			t.Errorf("after %v", took)
		}
		if got := g.ask(g.keyed("k", "/v1/files", `{}`)); got != (given{200, "replay", "0", "", "", `{"call":1}`}) {
			t.Errorf("then %+v", got)
		}
	})
}

// An answer that is too long to store reaches everybody who waits for it, whole.
func TestAnAnswerThatIsTooLongIsGivenButNotStored(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	tests := map[string]struct {
		announced bool
		path      string
		edit      func(*settings.Config)
		again     given
	}{
		"announced":        {true, "/v1/audio/speech", func(c *settings.Config) { c.Store.Bytes = 1 << 20 }, given{200, "upstream", "1", "", "not-stored", long}},
		"not announced":    {false, "/v1/audio/speech", func(c *settings.Config) { c.Store.Bytes = 1 << 20 }, given{200, "upstream", "1", "", "", long}},
		"no memory for it": {false, "/v1/audio/speech", func(c *settings.Config) { c.Bodies.MemoryMax = 128 << 10 }, given{200, "upstream", "1", "", "", long}},
		"of a create":      {true, "/v1/files", func(c *settings.Config) { c.Store.Bytes = 1 << 20 }, given{409, "local", "0", "false", "", "idempotency_outcome_unknown"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
				_, _ = io.Copy(io.Discard, r.Body)
				if n == 1 {
					time.Sleep(50 * time.Millisecond) // for the others to come
				}
				w.Header().Set("Content-Type", "audio/mpeg")
				if tt.announced {
					w.Header().Set("Content-Length", fmt.Sprint(len(long)))
				}
				_, _ = io.WriteString(w, long)
			}, tt.edit)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					resp, err := g.client.Do(g.keyed("k", tt.path, `{}`))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					if string(body) != long || err != nil {
						t.Errorf("%d bytes of %d, %v", len(body), len(long), err)
					}
				})
			}
			all.Wait()
			got := g.ask(g.keyed("k", tt.path, `{}`))
			if !tt.announced { // it can be known by the time of the header
				got.stored = ""
			}
			if got != tt.again {
				got.body, tt.again.body = access.Short(got.body), access.Short(tt.again.body)
				t.Errorf("then %+v, want %+v", got, tt.again)
			}
			if g.counted("too_large") == "0" {
				t.Error("it was not counted")
			}
		})
	}
}

// absent is a store that does not answer.
type absent struct{ claims.Store }

var errAbsent = fmt.Errorf("%w: connection refused", claims.ErrUnavailable)

func (absent) HashKey(context.Context) ([32]byte, error) { return [32]byte{}, errAbsent }

func (absent) Begin(context.Context, claims.Call) (claims.Claim, error) {
	return claims.Claim{}, errAbsent
}
func (absent) Finish(context.Context, claims.Claim, *claims.Answer) error { return errAbsent }

func TestWithoutTheStoreComputesAreServedAndCreatesRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(time.Second))
		there := g.proxy.calls.Store
		g.proxy.calls.Store = absent{there}
		for call := 1; call <= 2; call++ {
			if got, want := g.ask(g.keyed("k", "/v1/chat/completions", chatBody)), (given{200, "upstream", "1", "", "not-stored", fmt.Sprintf(`{"call":%d}`, call)}); got != want {
				t.Errorf("a compute got %+v, want %+v", got, want)
			}
		}
		resp, body := g.do(g.keyed("k", "/v1/files", `{}`))
		localError{503, "server_error", "idempotency_store_unavailable", "0", "1", false, false, []string{"Nothing was sent", "again"}}.check(t, resp, body)
		if got := g.ask(g.request("POST", "/v1/files", `{}`)); got.status != 200 {
			t.Errorf("a create without a key got %+v", got)
		}
		if n := strings.Count(g.log.String(), "does not answer: calls with a key"); n != 1 {
			t.Errorf("the log tells of it %d times, want once", n)
		}
		if g.status().Idempotency.Answers {
			t.Error("the status says that the store answers")
		}
		g.proxy.calls.Store = there
		g.ask(g.keyed("k", "/v1/files", `{}`))
		if got := g.ask(g.keyed("k", "/v1/files", `{}`)); got.source != "replay" {
			t.Errorf("when it is back: %+v", got)
		}
		if n := strings.Count(g.log.String(), "answers again"); n != 1 || !g.status().Idempotency.Answers {
			t.Errorf("the log tells of its return %d times, want once", n)
		}
	})
}

// full is a store on a full disk: it knows what it knew, and takes in nothing.
type full struct{ claims.Store }

func (full) Finish(context.Context, claims.Claim, *claims.Answer) error { return claims.ErrFull }

func (s full) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	if call.Create { // its claim is to outlive the process
		return claims.Claim{}, claims.ErrFull
	}
	return s.Store.Begin(ctx, call)
}

// A create that is sent without its claim is done twice by whoever asks again: here
// after its end, or another sidecar at once.
func TestAStoreThatIsFullRefusesCreatesWithAKeyAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(0))
		if got := g.ask(g.keyed("done", "/v1/files", `{}`)); got.status != 200 {
			t.Fatalf("a create got %+v", got)
		}
		there := g.proxy.calls.Store
		g.proxy.calls.Store = full{there}
		for _, key := range []string{"a", "b"} {
			if got := g.ask(g.keyed(key, "/v1/chat/completions", chatBody)); got.status != 200 || got.source != "upstream" {
				t.Errorf("a compute got %+v", got)
			}
		}
		for range 2 {
			resp, body := g.do(g.keyed("c", "/v1/files", `{}`))
			localError{503, "server_error", "idempotency_store_unavailable", "0", "1", false, false, []string{"no room", "Nothing was sent", "again"}}.check(t, resp, body)
		}
		if got := g.ask(g.request("POST", "/v1/files", `{}`)); got.status != 200 {
			t.Errorf("a create without a key got %+v", got)
		}
		if n := g.calls.Load(); n != 4 {
			t.Errorf("%d calls reached the upstream, want one create with a key, two computes, one create without", n)
		}
		if n := strings.Count(g.log.String(), "cannot be stored"); n != 1 || g.counted("not_stored") != "2" || g.counted("store_down") != "2" {
			t.Errorf("told %d times, counted %s and %s", n, g.counted("not_stored"), g.counted("store_down"))
		}
		g.proxy.calls.Store = there
		if got := g.ask(g.keyed("c", "/v1/files", `{}`)); got.status != 200 || got.source != "upstream" {
			t.Errorf("when there is room: %+v", got)
		}
	})
}

// rekeyed is a store whose hash key can change, as that of a Redis that lost all.
type rekeyed struct {
	claims.Store
	secret *atomic.Uint32
}

func (s rekeyed) HashKey(context.Context) ([32]byte, error) {
	return [32]byte{byte(s.secret.Load())}, nil
}

func TestACallUnderWayIsNotMadeAgainWhenTheHashKeyChanges(t *testing.T) {
	for _, kind := range []string{"/v1/files", "/v1/chat/completions"} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, numbered(time.Minute))
			var secret atomic.Uint32
			g.proxy.calls.Store = rekeyed{g.proxy.calls.Store, &secret}
			answers := make(chan given, 2)
			for range 2 {
				go func() { answers <- g.ask(g.keyed("k", kind, chatBody)) }()
				time.Sleep(time.Second)
				secret.Add(1)
			}
			for range 2 {
				if got := <-answers; got.status != 200 || got.body != `{"call":1}` {
					t.Errorf("%s: got %+v", kind, got)
				}
			}
			if n := g.calls.Load(); n != 1 {
				t.Errorf("%s: made %d times", kind, n)
			}
			if got := g.ask(g.keyed("other", kind, chatBody)); got.body != `{"call":2}` {
				t.Errorf("%s: another key got %+v", kind, got)
			}
		})
	}
}

// elsewhere is a store in which another process runs the call, until done.
type elsewhere struct {
	claims.Store
	done chan claims.Claim
}

func (s elsewhere) Begin(context.Context, claims.Call) (claims.Claim, error) {
	return claims.Claim{State: claims.Running, Since: time.Now()}, nil
}

func (s elsewhere) Wait(ctx context.Context, _ claims.Call) (claims.Claim, error) {
	select {
	case c := <-s.done:
		return c, nil
	case <-ctx.Done():
		return claims.Claim{}, ctx.Err()
	}
}

func TestACallThatAnotherProcessMakesIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(0))
		other := elsewhere{g.proxy.calls.Store, make(chan claims.Claim)}
		g.proxy.calls.Store = other
		if got := g.ask(g.keyed("k", "/v1/files", `{}`, "X-Stainless-Read-Timeout: 1")); got != (given{409, "local", "0", "", "", "idempotency_key_in_use"}) {
			t.Errorf("at its deadline it got %+v", got)
		}
		answers := make(chan given, 2)
		for range 2 {
			go func() { answers <- g.ask(g.keyed("k", "/v1/files", `{}`)) }()
		}
		time.Sleep(time.Second)
		other.done <- claims.Claim{State: claims.Done, Answer: &claims.Answer{Status: 201, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("there")}}
		for range 2 {
			if got := <-answers; got != (given{201, "replay", "0", "", "", "there"}) {
				t.Errorf("got %+v", got)
			}
		}
		if g.calls.Load() != 0 {
			t.Errorf("%d calls were made here", g.calls.Load())
		}
	})
}

func TestADrainCountsAndEndsACallWithoutItsCaller(t *testing.T) {
	tests := map[string]struct {
		path string
		want string
	}{
		"a compute": {"/v1/chat/completions", "failed"},
		"a create":  {"/v1/files", "lost"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, silence)
				ctx, leave := context.WithTimeout(t.Context(), time.Second)
				defer leave()
				if resp, err := g.client.Do(g.keyed("k", tt.path, `{}`).WithContext(ctx)); err == nil {
					resp.Body.Close()
					t.Fatal("it was answered")
				}
				g.proxy.Drain()
				synctest.Wait()
				if n := g.inflight(); n != 1 {
					t.Errorf("%d in flight, want the call", n)
				}
				g.proxy.Cancel(errors.New("time is up"))
				synctest.Wait()
				if n := g.inflight(); n != 0 || g.counted(tt.want) != "1" {
					t.Errorf("%d in flight, %s counted as %s", n, g.counted(tt.want), tt.want)
				}
			})
		})
	}
}

func TestADrainTellsAllWhoWaitForACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, silence)
		answers := make(chan given, 2)
		for range 2 {
			go func() { answers <- g.ask(g.keyed("k", "/v1/chat/completions", chatBody)) }()
			synctest.Wait()
		}
		g.proxy.Cancel(errors.New("time is up"))
		for range 2 {
			if got := <-answers; got.status != 503 || got.body != "draining" {
				t.Errorf("got %+v", got)
			}
		}
	})
}

// Nobody could tell whether it was made before: only the whole body tells.
func TestACallWithAKeyWhoseBodyCannotBeKeptIsRefused(t *testing.T) {
	g := newRig(t, numbered(0), func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1024, 0 })
	body := strings.Repeat("x", 64<<10)
	for range 2 {
		if got := g.ask(g.keyed("k", "/v1/files", body)); got != (given{503, "local", "0", "", "", "spool_full"}) {
			t.Errorf("got %+v", got)
		}
	}
	if got := g.ask(g.request(http.MethodPost, "/v1/files", body)); got != (given{200, "upstream", "1", "", "", `{"call":1}`}) {
		t.Errorf("without a key: %+v", got)
	}
}

// Whether a create was done must not be forgotten because somebody else asks for a lot.
func TestAnothersKeysDoNotEvictThatACreateMayHaveBeenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.Header.Get("Authorization") == "Bearer sk-victim" && r.Header.Get("X-Lose") != "" {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 4<<10))
		}, func(c *settings.Config) { c.Store.Bytes = 128 << 10 })
		lost := func() given {
			return g.ask(g.keyed("lost", "/v1/files", `{}`, "Authorization: Bearer sk-victim", "X-Lose: 1"))
		}
		if got := lost(); got.status != 424 {
			t.Fatalf("got %+v", got)
		}
		done := func() given {
			return g.ask(g.keyed("done", "/v1/files", `{}`, "Authorization: Bearer sk-victim"))
		}
		done()
		for i := range 60 {
			g.ask(g.keyed(fmt.Sprint(i), "/v1/files", `{}`, "Authorization: Bearer sk-flood"))
		}
		if got := lost(); got.status != 409 || got.body != "idempotency_outcome_unknown" {
			t.Errorf("the lost create got %+v", got)
		}
		if got := done(); got.status != 200 || got.source != "replay" {
			t.Errorf("the done create got %+v", got)
		}
		if got := g.ask(g.keyed("0", "/v1/files", `{}`, "Authorization: Bearer sk-flood")); got.status != 409 && got.source != "replay" {
			t.Errorf("the flood's first create got %d from %s: done again", got.status, got.source)
		}
	})
}

// Many who ask for one stored answer at once must not take more memory than there is.
func TestReplaysFromAFileTakeMemoryOnlyWhereThereIsSome(t *testing.T) {
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, call int) {
		_, _ = fmt.Fprintf(w, "%d%s", call, strings.Repeat("x", 100<<10))
	}, func(c *settings.Config) {
		c.Bodies.MemoryMax = 1 << 20
		if err := c.Store.Spec.UnmarshalText([]byte("file:" + t.TempDir() + "/answers.db")); err != nil {
			t.Fatal(err)
		}
	})
	for _, path := range []string{"/v1/files", "/v1/chat/completions"} {
		g.ask(g.keyed("k"+path, path, chatBody))
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := g.ask(g.keyed("k/v1/files", "/v1/files", chatBody)); got.source != "replay" && got.body != "idempotency_store_unavailable" {
				t.Errorf("got %d from %s", got.status, got.source)
			}
		})
	}
	all.Wait()
	g.settle()
	if memory, _ := g.held(); memory != 0 {
		t.Errorf("%d bytes are still taken", memory)
	}
	free := int64(1<<20) / 8 * 7
	if !g.proxy.gen().Bodies.Reserve(free - 32<<10) {
		t.Fatal("the memory is in use")
	}
	if got := g.ask(g.keyed("k/v1/files", "/v1/files", chatBody)); got.status != 503 || got.body != "idempotency_store_unavailable" {
		t.Errorf("a create got %d from %s", got.status, got.source)
	}
	if got := g.ask(g.keyed("k/v1/chat/completions", "/v1/chat/completions", chatBody)); got.status != 200 || got.source != "upstream" {
		t.Errorf("a compute got %d from %s", got.status, got.source)
	}
	g.proxy.gen().Bodies.Free(free - 32<<10)
	if got := g.ask(g.keyed("k/v1/files", "/v1/files", chatBody)); got.source != "replay" || got.body[:2] != "1x" {
		t.Errorf("when there is memory: %d from %s", got.status, got.source)
	}
	if strings.Contains(g.log.String(), "does not answer: calls with a key") {
		t.Error("the log says that the store does not answer")
	}
}
