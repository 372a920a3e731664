package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

func rejoins(c *settings.Config) { c.Rejoin = 10 * time.Second }

// leaveAfter sends r and hangs up after d, unless it is answered before.
func (g *rig) leaveAfter(d time.Duration, r *http.Request) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	resp, err := g.client.Do(r.WithContext(ctx))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		g.t.Errorf("the caller that hangs up ended with %v", err)
	}
	synctest.Wait()
}

const retry1 = "X-Stainless-Retry-Count: 1"

func TestARetryJoinsTheCallThatItsCallerLeft(t *testing.T) {
	stream := delta("a") + secondStream
	tests := map[string]struct {
		path, body string
		upstream   script
		want       string
	}{
		"JSON":     {"/v1/chat/completions", chatBody, numbered(2600 * time.Millisecond), `{"call":1}`},
		"a stream": {"/v1/chat/completions", streamBody, later(1600*time.Millisecond, slowly(stream, clean)), stream},
		"a create": {"/v1/files", `{}`, numbered(2600 * time.Millisecond), `{"call":1}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, rejoins)
				g.leaveAfter(time.Second, g.request("POST", tt.path, tt.body))
				if n := g.inflight(); n != 1 || g.status().Idempotency.Abandoned != 1 {
					t.Errorf("%d in flight, status %+v", n, g.status().Idempotency)
				}
				time.Sleep(time.Second / 2)
				g.leaveAfter(time.Second, with(g.request("POST", tt.path, tt.body), retry1))
				time.Sleep(time.Second)
				got := g.ask(with(g.request("POST", tt.path, tt.body), "X-Stainless-Retry-Count: 2"))
				if got != (given{200, "replay", "0", "", "", tt.want}) || g.calls.Load() != 1 {
					t.Errorf("got %+v after %d calls", got, g.calls.Load())
				}
				synctest.Wait()
				if memory, _ := g.held(); memory != 0 || g.inflight() != 0 || g.status().Idempotency.Abandoned != 0 {
					t.Errorf("%d bytes are held, %d in flight, status %+v", memory, g.inflight(), g.status().Idempotency)
				}
				if g.counted("rejoined") != "1" || !strings.Contains(g.log.String(), `"idempotency":"rejoined"`) {
					t.Errorf("%s counted", g.counted("rejoined"))
				}
				// It is given once.
				if got := g.ask(with(g.request("POST", tt.path, tt.body), retry1)); got.source != "upstream" || g.calls.Load() != 2 {
					t.Errorf("a second retry got %+v after %d calls", got, g.calls.Load())
				}
			})
		})
	}
}

// The deadline that an SDK announces ends its waiting, not the call; a create's call
// too, because its caller is told that it must not be sent again.
func TestACallerWhoseTimeIsOverIsToldToComeBackOnlyIfItMay(t *testing.T) {
	tests := map[string]struct {
		path string
		want given
		then given
	}{
		"a compute": {"/v1/chat/completions", given{504, "local", "1", "", "", "upstream_timeout"}, given{200, "replay", "0", "", "", `{"call":1}`}},
		"a create":  {"/v1/files", given{424, "local", "1", "false", "", "upstream_ambiguous"}, given{200, "upstream", "1", "", "", `{"call":2}`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, numbered(2500*time.Millisecond), rejoins)
				if got := g.ask(with(g.request("POST", tt.path, chatBody), "X-Stainless-Read-Timeout: 1")); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if got := g.ask(with(g.request("POST", tt.path, chatBody), retry1)); got != tt.then {
					t.Errorf("then %+v, want %+v", got, tt.then)
				}
			})
		})
	}
}

func TestNothingButTheRetryOfAnAbandonedCallJoins(t *testing.T) {
	tests := map[string]struct {
		edit func(r *http.Request)
	}{
		"a call that is no retry": {func(r *http.Request) { r.Header.Del("X-Stainless-Retry-Count") }},
		"a first try":             {func(r *http.Request) { r.Header.Set("X-Stainless-Retry-Count", "0") }},
		"another credential":      {func(r *http.Request) { r.Header.Set("Authorization", "Bearer other") }},
		"another body": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(chatBody, "hi", "ho", 1)))
		}},
		"another path":              {func(r *http.Request) { r.URL.Path = "/v1/completions" }},
		"another query":             {func(r *http.Request) { r.URL.RawQuery = "a=1" }},
		"another method":            {func(r *http.Request) { r.Method = http.MethodPut }},
		"a retry with its own key":  {func(r *http.Request) { r.Header.Set("Idempotency-Key", "k") }},
		"a retry through a name":    {func(r *http.Request) { r.URL.Path = "/@openai/v1/chat/completions" }},
		"a retry with another org.": {func(r *http.Request) { r.Header.Set("OpenAI-Organization", "o") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, numbered(5*time.Second), rejoins)
				g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", chatBody))
				r := with(g.request("POST", "/v1/chat/completions", chatBody), retry1)
				tt.edit(r)
				if got := g.ask(r); got.source != "upstream" || g.calls.Load() != 2 {
					t.Errorf("got %+v after %d calls", got, g.calls.Load())
				}
			})
		})
	}
}

// openai-go waits for its retry within the timeout of the try before.
func TestAGoClientIsToldToComeBackWhileItCan(t *testing.T) {
	tests := map[string]struct {
		headers []string
		after   string // Retry-After-Ms
	}{
		"Go, without a key":     {[]string{"X-Stainless-Lang: go", "X-Stainless-Timeout: 1"}, "50"},
		"Go, with a key":        {[]string{"X-Stainless-Lang: go", "X-Stainless-Timeout: 1", "Idempotency-Key: k"}, "50"},
		"Go, with a long time":  {[]string{"X-Stainless-Lang: go", "X-Stainless-Timeout: 60"}, "500"},
		"Python, without a key": {[]string{"X-Stainless-Lang: python", "X-Stainless-Read-Timeout: 1"}, ""},
		"Python, with a key":    {[]string{"X-Stainless-Lang: python", "X-Stainless-Read-Timeout: 1", "Idempotency-Key: k"}, "1000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, silence, rejoins)
				resp, body := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), tt.headers...))
				if got := resp.Header.Get("Retry-After-Ms"); got != tt.after || resp.Header.Get("X-Should-Retry") != "" {
					t.Errorf("Retry-After-Ms %q, want %q: %s", got, tt.after, body)
				}
			})
		})
	}
}

// Two equal calls of one app are two calls, and each has its own retry.
func TestARetryJoinsNoCallWhoseCallerIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(5*time.Second), rejoins)
		answers := make(chan given, 3)
		go func() { answers <- g.ask(g.request("POST", "/v1/chat/completions", chatBody)) }()
		synctest.Wait()
		g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", chatBody))
		for range 2 {
			go func() { answers <- g.ask(with(g.request("POST", "/v1/chat/completions", chatBody), retry1)) }()
			synctest.Wait()
		}
		got := map[string]int{}
		for range 3 {
			a := <-answers
			got[a.source+a.body]++
		}
		if want := map[string]int{`upstream{"call":1}`: 1, `replay{"call":2}`: 1, `upstream{"call":3}`: 1}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAnAbandonedCallIsEndedWhenNoRetryComes(t *testing.T) {
	begun := func(w http.ResponseWriter, r *http.Request, n int) {
		trickle(w, "text/event-stream", delta("a"))
		silence(w, r, n)
	}
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		after    time.Duration // from its start to its end upstream
	}{
		"after OUTRIGGER_REJOIN":         {silence, rejoins, 11 * time.Second},
		"at once when it is off":         {silence, func(*settings.Config) {}, time.Second},
		"at once in a stream that began": {begun, rejoins, time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, ended := time.Now(), time.Time{}
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					defer func() { ended = time.Now() }()
					tt.upstream(w, r, n)
				}, tt.edit)
				g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", streamBody))
				time.Sleep(time.Minute)
				synctest.Wait()
				if took := ended.Sub(began); took != tt.after {
					t.Errorf("it ended after %v, want %v", took, tt.after)
				}
				if n := g.inflight(); n != 0 || g.status().Idempotency.Abandoned != 0 {
					t.Errorf("%d in flight, %+v", n, g.status().Idempotency)
				}
			})
		})
	}
}

func TestAnAnswerThatNobodyCameBackForIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, numbered(2*time.Second), rejoins)
		g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", chatBody))
		time.Sleep(11 * time.Second)
		if memory, _ := g.held(); memory != 0 || g.counted("unclaimed") != "1" {
			t.Errorf("%d bytes are held, %s unclaimed", memory, g.counted("unclaimed"))
		}
		if got := g.ask(with(g.request("POST", "/v1/chat/completions", chatBody), retry1)); got.source != "upstream" {
			t.Errorf("got %+v", got)
		}
	})
}

// A retry that finds a failure would be worse off than one that calls anew.
func TestAFailureIsNotKeptForARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, later(2*time.Second, then(1, apiError(500))), rejoins, func(c *settings.Config) { c.Retry.Max = 0 })
		g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", chatBody))
		time.Sleep(2 * time.Second)
		if got := g.ask(with(g.request("POST", "/v1/chat/completions", chatBody), retry1)); got.status != 200 || got.source != "upstream" {
			t.Errorf("got %+v", got)
		}
	})
}

// A create whose answer was lost while its caller was away is not made again for it.
func TestARetryIsToldOfACreateThatMayHaveBeenCarriedOut(t *testing.T) {
	tests := map[string]struct {
		upstream script
		want     given
	}{
		"a lost answer":           {hangUp, given{424, "local", "0", "false", "", "upstream_ambiguous"}},
		"a failure":               {apiError(500), given{500, "replay", "0", "false", "", ""}},
		"one that did nothing":    {answers(503, overBody), given{200, "upstream", "1", "", "", ""}},
		"a refusal of the create": {answers(400, overBody), given{200, "upstream", "1", "", "", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, later(2*time.Second, then(1, tt.upstream)), rejoins, func(c *settings.Config) { c.Retry.Max = 0 })
				g.leaveAfter(time.Second, g.request("POST", createPath, createBody))
				time.Sleep(2 * time.Second)
				got := g.ask(with(g.request("POST", createPath, createBody), retry1))
				if got.source != "local" {
					got.body = ""
				}
				if got != tt.want {
					t.Errorf("got %+v after %d calls, want %+v", got, g.calls.Load(), tt.want)
				}
				synctest.Wait()
				if memory, _ := g.held(); memory != 0 || g.inflight() != 0 {
					t.Errorf("%d bytes are held, %d in flight", memory, g.inflight())
				}
			})
		})
	}
}

func TestADrainEndsAbandonedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, silence, rejoins)
		g.leaveAfter(time.Second, g.request("POST", "/v1/chat/completions", chatBody))
		g.proxy.Drain()
		synctest.Wait()
		if n := g.inflight(); n != 0 {
			t.Errorf("%d in flight: nobody can come back for it", n)
		}
	})
}

// What every request has when OUTRIGGER_REJOIN is on, and no retry comes.
func TestRejoiningChangesNoAnswer(t *testing.T) {
	tests := map[string]struct {
		upstream   script
		path, body string
		want       given
	}{
		"JSON":          {numbered(0), "/v1/chat/completions", chatBody, given{200, "upstream", "1", "", "", `{"call":1}`}},
		"a stream":      {streamOf(delta("a")+secondStream, clean), "/v1/chat/completions", streamBody, given{200, "upstream", "1", "", "", delta("a") + secondStream}},
		"a failure":     {apiError(400), "/v1/chat/completions", chatBody, given{400, "upstream", "1", "false", "", ""}},
		"a lost create": {hangUp, "/v1/files", "{}", given{424, "local", "1", "false", "", "upstream_ambiguous"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream, rejoins)
				got := g.ask(g.request("POST", tt.path, tt.body))
				if tt.want.body == "" {
					tt.want.body = got.body
				}
				if got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				synctest.Wait()
				if memory, _ := g.held(); memory != 0 || g.inflight() != 0 {
					t.Errorf("%d bytes are held, %d in flight", memory, g.inflight())
				}
			})
		})
	}
}
