package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/policy/endpoint"
	"outrigger/proxy/attempt"
	"outrigger/proxy/eventstream"
	"outrigger/proxy/settings"
)

// streamPaths is an endpoint that streams in each dialect.
var streamPaths = map[string]struct {
	path    string
	dialect endpoint.Dialect
}{
	"chat":           {"/v1/chat/completions", endpoint.Chat},
	"completions":    {"/v1/completions", endpoint.Completions},
	"responses":      {"/v1/responses", endpoint.Responses},
	"messages":       {"/v1/messages", endpoint.Messages},
	"images":         {"/v1/images/generations", endpoint.Images},
	"transcriptions": {"/v1/audio/transcriptions", endpoint.Transcriptions},
	"speech":         {"/v1/audio/speech", endpoint.Speech},
	"gemini":         {"/v1beta/models/gemini-2.5-flash:streamGenerateContent", endpoint.Gemini},
	"assistants":     {"/v1/threads/t/runs", endpoint.Assistants},
	"unknown":        {"/v1/interactions", endpoint.Unknown},
}

const streamBody = `{"model":"gpt-4o-mini","stream":true,"messages":[]}`

// streamOf is a script that sends a stream and ends it as end says.
func streamOf(text string, end func()) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		end()
	}
}

func clean()  {}
func broken() { panic(http.ErrAbortHandler) }

// stream sends a request and reads the answer to its end, whatever that is.
func (g *rig) stream(c *http.Client, path string) (*http.Response, string, error) {
	g.t.Helper()
	resp, err := c.Do(g.request(http.MethodPost, path, streamBody))
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// h2 is a client that speaks cleartext HTTP/2 to the proxy.
func (g *rig) h2() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true, DialContext: g.dialFront}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: noRedirects}
}

// Every transcript that the watcher is tested with goes through the whole proxy,
// ended by its upstream once cleanly and once not.
func TestAStreamEndsCleanlyOnlyWhenItIsWhole(t *testing.T) {
	files, err := filepath.Glob("eventstream/testdata/*.sse")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		kind, _, _ := strings.Cut(name, "_")
		at, ok := streamPaths[kind]
		if !ok {
			t.Fatalf("no endpoint for %s", name)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
			for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
				t.Run(name+"/"+ending+"/"+version, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						g := newBubble(t, streamOf(string(data), end), func(c *settings.Config) {
							c.Retry.Max, c.Timeouts.Total = 0, time.Second // a second in line, for a rate limit
						})
						client := g.client
						if h2 {
							client = g.h2()
						}
						resp, body, err := g.stream(client, at.path)
						expected(t, at.dialect, string(data), ending == "clean", resp, body, err)
					})
				})
			}
		}
	}
}

// expected compares what a caller got of a stream with what the contract says.
func expected(t *testing.T, d endpoint.Dialect, sent string, clean bool, resp *http.Response, body string, err error) {
	t.Helper()
	w := eventstream.New(d)
	_, _ = w.Write([]byte(sent))
	missing := ""
	if d != endpoint.Unknown {
		missing = string(w.End())
	}
	first, begun := w.Meaningful()
	_, failed := w.Error()
	switch {
	case begun && classify.IsError(first.Name, first.Data) && w.Aborted() != "":
		if resp.StatusCode < 400 || !strings.Contains(body, w.Aborted()) || errorCode(t, body) != "stream_interrupted" || err != nil {
			t.Errorf("an abort at the start came as %d %q %v", resp.StatusCode, body, err)
		}
	case begun && classify.IsError(first.Name, first.Data):
		if resp.StatusCode < 400 || body != string(first.Data) || err != nil || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("an error at the start came as %d %s %q %v", resp.StatusCode, resp.Header.Get("Content-Type"), body, err)
		}
	case !begun && d != endpoint.Unknown:
		code := "upstream_broke"
		if d == endpoint.Assistants {
			code = "upstream_ambiguous"
		}
		if resp.StatusCode < 400 || errorCode(t, body) != code {
			t.Errorf("a stream that never began came as %d %q %v", resp.StatusCode, body, err)
		}
	case w.Broke() && d != endpoint.Unknown:
		failure, _ := w.Error()
		rest, ok := strings.CutPrefix(body, (sent + missing)[:min(int(failure.End), len(sent))]+missing)
		if !ok || err == nil {
			t.Fatalf("an error that broke the answer off came as %q %v", body, err)
		}
		if w.Unseen() {
			toldAgain(t, d, rest)
		} else if rest != "" && d != endpoint.Responses {
			t.Errorf("behind the error came %q", rest)
		}
	case w.Finished():
		if body != sent+missing || err != nil {
			t.Errorf("a finished stream came as %q %v", strings.TrimPrefix(body, sent), err)
		}
	case clean && (w.Done() || failed || d == endpoint.Unknown):
		if body != sent+missing || err != nil {
			t.Errorf("a stream that said all came as %q %v", strings.TrimPrefix(body, sent), err)
		}
	case d == endpoint.Unknown && !failed:
		if body != sent || err == nil {
			t.Errorf("got %q %v, want the same and a broken connection", strings.TrimPrefix(body, sent), err)
		}
	case w.Done() || failed: // what broke off is nothing the caller misses
		if body != sent+missing || err != nil {
			t.Errorf("got %q %v, want the same and a clean end", strings.TrimPrefix(body, sent), err)
		}
	default:
		rest, ok := strings.CutPrefix(body, sent+missing)
		if !ok || err == nil {
			t.Fatalf("a stream that was cut came as %q %v", body, err)
		}
		toldInterrupted(t, d, rest)
	}
}

// toldInterrupted checks the last event of a stream that was cut, toldAgain that of one whose
// error clients would not have noticed.
func toldInterrupted(t *testing.T, d endpoint.Dialect, rest string) {
	t.Helper()
	toldBecause(t, d, rest, "The stream was cut")
}

func toldAgain(t *testing.T, d endpoint.Dialect, rest string) {
	t.Helper()
	toldBecause(t, d, rest, "The upstream broke the stream off with an error: ")
}

func toldBecause(t *testing.T, d endpoint.Dialect, rest, why string) {
	t.Helper()
	if d == endpoint.Gemini {
		toldByGoogle(t, rest, why)
		return
	}
	named := d == endpoint.Responses || d == endpoint.Messages || d == endpoint.Assistants
	events := strings.Split(strings.TrimSuffix(rest, "\n\n"), "\n\n")
	lines := strings.Split(events[len(events)-1], "\n")
	data, isData := strings.CutPrefix(lines[len(lines)-1], "data: ")
	if !strings.HasSuffix(rest, "\n\n") || !isData || strings.Contains(events[len(events)-1], "event: error") != named {
		t.Fatalf("the last event is %q", rest)
	}
	var got struct {
		Type, Code, Message string
		Sequence            *int `json:"sequence_number"`
		Error               struct{ Type, Code, Message string }
	}
	if err := json.Unmarshal([]byte(data), &got); err != nil || got.Error.Code != "stream_interrupted" || !strings.Contains(got.Error.Message, why) {
		t.Errorf("the last event's data is %s", data)
	}
	if d == endpoint.Responses && (got.Type != "error" || got.Code != "stream_interrupted" || got.Message != got.Error.Message || got.Sequence == nil) {
		t.Errorf("the flat members are missing: %s", data)
	}
}

// toldByGoogle checks the last line of a stream of Google's own API that was cut.
func toldByGoogle(t *testing.T, rest, why string) {
	t.Helper()
	var got struct {
		Error struct {
			Code    int
			Message string
			Details []struct{ Reason string }
		}
	}
	lines := strings.Split(strings.TrimSuffix(rest, "\n\n"), "\n")
	err := json.Unmarshal([]byte(lines[len(lines)-1]), &got)
	if e := got.Error; err != nil || e.Code != 502 || len(e.Details) != 1 || e.Details[0].Reason != "stream_interrupted" || !strings.Contains(e.Message, why) {
		t.Errorf("the last line is %s", rest)
	}
}

// conversation is an upstream whose stream a test drives event by event.
type conversation struct {
	say  chan string // the next bytes
	over chan func() // how to end
	seen chan int    // connections' numbers, as calls begin
	left chan bool   // the upstream was closed under the call
}

func newConversation() *conversation {
	return &conversation{make(chan string), make(chan func()), make(chan int, 100), make(chan bool, 100)}
}

func (v *conversation) script(w http.ResponseWriter, r *http.Request, call int) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	v.seen <- call
	for {
		select {
		case text := <-v.say:
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
		case end := <-v.over:
			end()
			return
		case <-r.Context().Done():
			v.left <- true
			return
		}
	}
}

// later says text after d of the bubble's time.
func (v *conversation) later(t *testing.T, d time.Duration, text string) {
	go func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-t.Context().Done():
			return
		}
		select {
		case v.say <- text:
		case <-t.Context().Done():
		}
	}()
}

func delta(text string) string {
	return fmt.Sprintf("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
}

const (
	doneEvent   = "data: [DONE]\n\n"
	roleEvent   = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
	filterEvent = "data: {\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n"
)

func TestEventsAreNotDelayed(t *testing.T) {
	for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		t.Run(version, func(t *testing.T) {
			v := newConversation()
			g := newRig(t, v.script)
			client := g.client
			if h2 {
				client = g.h2()
			}
			go func() { v.say <- delta("0") }()
			resp, err := client.Do(g.request(http.MethodPost, "/v1/chat/completions", streamBody))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			// Each next event is sent only when the one before has come through whole.
			for i := range 200 {
				want := delta(fmt.Sprint(i))
				got := make([]byte, len(want))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
					t.Fatalf("event %d came as %q %v", i, got, err)
				}
				if i < 199 {
					v.say <- delta(fmt.Sprint(i + 1))
				}
			}
			// The upstream says [DONE] and then neither more nor goodbye.
			v.say <- doneEvent
			rest, err := io.ReadAll(resp.Body)
			if string(rest) != doneEvent || err != nil {
				t.Errorf("the end came as %q %v", rest, err)
			}
		})
	}
}

func TestTheFirstEventIsHeldWithTheHeaders(t *testing.T) {
	tests := map[string]struct {
		early   []string // each a second after the one before
		waits   time.Duration
		opening string
	}{
		"until it comes":                  {[]string{": ping\n\n", delta("a")}, 2 * time.Second, ": ping\n\n" + delta("a")},
		"at most 2 s from the first byte": {[]string{": ping\n\n", ": ping\n\n", ": ping\n\n", ": ping\n\n", delta("a")}, 3 * time.Second, ": ping\n\n: ping\n\n"},
		"half of it is none":              {[]string{delta("a")[:20], delta("a")[20:]}, 2 * time.Second, delta("a")},
		"a role alone is none":            {[]string{roleEvent, delta("a")}, 2 * time.Second, roleEvent + delta("a")},
		"nor is a filter's chunk":         {[]string{filterEvent + roleEvent, delta("a")}, 2 * time.Second, filterEvent + roleEvent + delta("a")},
		"nor an empty one":                {[]string{"data: {}\n\ndata: {\"choices\":[]}\n\n", delta("a")}, 2 * time.Second, "data: {}\n\ndata: {\"choices\":[]}\n\n" + delta("a")},
		"they are not held for long":      {[]string{roleEvent, ": ping\n\n", ": ping\n\n", delta("a")}, 3 * time.Second, roleEvent + ": ping\n\n"},
		"what is not known passes":        {[]string{"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"widget\":\"w\"}}]}\n\n", delta("a")}, time.Second, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"widget\":\"w\"}}]}\n\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, v.script)
				start := time.Now()
				for i, text := range tt.early {
					v.later(t, time.Duration(i+1)*time.Second, text)
				}
				resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", streamBody))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if waited := time.Since(start); waited != tt.waits {
					t.Errorf("the headers came after %s, want %s", waited, tt.waits)
				}
				got := make([]byte, len(tt.opening))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != tt.opening {
					t.Errorf("the opening is %q %v, want %q", got, err, tt.opening)
				}
				for i, text := range tt.early {
					if len(strings.Join(tt.early[:i+1], "")) <= len(tt.opening) {
						continue
					}
					got := make([]byte, len(text))
					_, err := io.ReadFull(resp.Body, got)
					if at := time.Since(start); string(got) != text || err != nil || at != time.Duration(i+1)*time.Second {
						t.Errorf("then came %q %v after %s, want %q after %ds", got, err, at, text, i+1)
					}
				}
			})
		})
	}
}

func TestAnErrorAsTheFirstEventIsRetriedOrUnmasked(t *testing.T) {
	const failure = `{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}`
	const quota = `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	good := delta("a") + doneEvent
	tests := map[string]struct {
		events   []string // of the first, second … call; the last for all further ones
		edit     func(*settings.Config)
		calls    int64
		status   int
		body     string
		attempts string
	}{
		"and the second attempt streams":  {[]string{"data: " + failure + "\n\n", good}, nil, 2, 200, good, "2"},
		"after a ping":                    {[]string{": ping\n\ndata: " + failure + "\n\n", good}, nil, 2, 200, good, "2"},
		"and lacks its blank line":        {[]string{"data: " + failure, good}, nil, 2, 200, good, "2"},
		"and every attempt fails":         {[]string{"data: " + failure + "\n\n" + doneEvent}, nil, 5, 500, failure, "5"},
		"and may not be retried":          {[]string{"data: " + quota + "\n\n"}, nil, 1, 429, quota, "1"},
		"and the retry budget is spent":   {[]string{"data: " + failure + "\n\n"}, func(c *settings.Config) { c.Retry.Max, c.Retry.Budget, c.Breaker.Wait = 100, 0, 0 }, 11, 500, failure, "11"},
		"and the breaker opens meanwhile": {[]string{"data: " + failure + "\n\n"}, func(c *settings.Config) { c.Breaker.Consecutive, c.Breaker.Open = 2, time.Hour }, 2, 500, failure, "2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					streamOf(tt.events[min(call, len(tt.events))-1], clean)(w, r, call)
				}, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				resp, body, err := g.stream(g.client, "/v1/chat/completions")
				if resp.StatusCode != tt.status || body != tt.body || err != nil || g.calls.Load() != tt.calls {
					t.Errorf("got %d %q %v after %d calls, want %d %q after %d", resp.StatusCode, body, err, g.calls.Load(), tt.status, tt.body, tt.calls)
				}
				if got := resp.Header.Get("X-Outrigger-Attempts"); got != tt.attempts {
					t.Errorf("attempts %q, want %s", got, tt.attempts)
				}
			})
		})
	}
}

func TestAStreamThatEndsBeforeItBeganIsRetried(t *testing.T) {
	good := delta("a") + doneEvent
	for name, empty := range map[string]string{"nothing": "", "a ping": ": ping\n\n", "half a line": "dat", "half an event": "data: {\"cho"} {
		for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
			t.Run(name+"/"+ending, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
						if call == 1 {
							streamOf(empty, end)(w, r, call)
							return
						}
						streamOf(good, clean)(w, r, call)
					})
					resp, body, err := g.stream(g.client, "/v1/chat/completions")
					if resp.StatusCode != 200 || body != good || err != nil || g.calls.Load() != 2 {
						t.Errorf("got %d %q %v after %d calls", resp.StatusCode, body, err, g.calls.Load())
					}
				})
			})
		}
	}
}

func TestAStreamThatIsResetIsToldOff(t *testing.T) {
	v := newConversation()
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, call int) {
		if r.URL.Path == goodPath {
			_, _ = io.WriteString(w, "good")
			return
		}
		v.script(w, r, call)
	})
	go func() { v.say <- delta("a") }()
	resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", streamBody))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, len(delta("a")))
	if _, err := io.ReadFull(resp.Body, got); err != nil {
		t.Fatal(err)
	}
	v.over <- broken
	rest, err := io.ReadAll(resp.Body)
	if err == nil {
		t.Error("the stream ended as if all were well")
	}
	toldInterrupted(t, endpoint.Chat, string(rest))
	g.works()
}

func TestASilentStreamIsToldOff(t *testing.T) {
	for version, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, v.script)
				client := g.client
				if h2 {
					client = g.h2()
				}
				v.later(t, 0, delta("a"))
				v.later(t, time.Minute, delta("b"))
				v.later(t, 6*time.Minute-time.Second, delta("c")) // a silence that is just allowed
				resp, body, err := g.stream(client, "/v1/chat/completions")
				rest, ok := strings.CutPrefix(body, delta("a")+delta("b")+delta("c"))
				if resp.StatusCode != 200 || !ok || err == nil {
					t.Fatalf("got %d %q %v", resp.StatusCode, body, err)
				}
				toldInterrupted(t, endpoint.Chat, rest)
				if !strings.Contains(rest, "sent nothing for 5m0s") {
					t.Errorf("the reason is missing: %s", rest)
				}
				<-v.left
			})
		})
	}
}

func TestTheFirstOfSeveralAnswersIsNotTheEnd(t *testing.T) {
	image := "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aa\"}\n\n"
	choice := func(i int) string {
		return fmt.Sprintf("data: {\"choices\":[{\"index\":%d,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n", i)
	}
	tests := map[string]struct {
		path, body, first, second string
	}{
		"images":  {"/v1/images/generations", `{"model":"gpt-image-1","n":2,"stream":true,"prompt":"x"}`, image, image},
		"choices": {"/v1/chat/completions", `{"model":"m","n":2,"stream":true,"messages":[]}`, choice(0), choice(1)},
	}
	for name, tt := range tests {
		ask := func(g *rig) (string, error) {
			resp, err := g.client.Do(g.request(http.MethodPost, tt.path, tt.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return string(body), err
		}
		t.Run(name+"/the second takes long", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, v.script)
				v.later(t, 0, tt.first)
				v.later(t, time.Minute, tt.second)
				time.AfterFunc(2*time.Minute, func() { v.over <- clean })
				if body, err := ask(g); body != tt.first+tt.second || err != nil {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
		t.Run(name+"/the second never comes", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, v.script)
				v.later(t, 0, tt.first)
				time.AfterFunc(time.Minute, func() { v.over <- broken })
				body, err := ask(g)
				rest, ok := strings.CutPrefix(body, tt.first)
				if !ok || err == nil {
					t.Fatalf("got %q %v", body, err)
				}
				toldInterrupted(t, endpoint.Chat, rest)
			})
		})
	}
}

func TestTheBreakerHearsOfAStreamThatFailsLater(t *testing.T) {
	failure := "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n"
	for name, tt := range map[string]struct {
		upstream script
		failures int
		outcome  string
	}{
		"complete":          {streamOf(delta("a")+doneEvent, clean), 0, "completed"},
		"cut":               {streamOf(delta("a"), broken), 1, "interrupted"},
		"ended too early":   {streamOf(delta("a"), clean), 1, "interrupted"},
		"with a late error": {streamOf(delta("a")+failure, clean), 1, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, tt.upstream)
				_, _, _ = g.stream(g.client, "/v1/chat/completions")
				synctest.Wait()
				if got := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot(); got.Successes != 1 || got.Failures != tt.failures {
					t.Errorf("the breaker has %+v, want one success and %d failures", got, tt.failures)
				}
				for _, want := range []string{`outrigger_streams_ended_total{outcome="` + tt.outcome + `",upstream="openai"} 1`, "outrigger_streams_open 0"} {
					if text := g.metricsText(); !strings.Contains(text, want) {
						t.Errorf("the metrics lack %s", want)
					}
				}
			})
		})
	}
}

func TestADrainTellsAStreamWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newConversation()
		g := newBubble(t, v.script)
		v.later(t, 0, delta("a"))
		time.AfterFunc(time.Second, func() { g.proxy.Cancel(errors.New("stop")) })
		_, body, err := g.stream(g.client, "/v1/chat/completions")
		rest, ok := strings.CutPrefix(body, delta("a"))
		if !ok || err == nil || !strings.Contains(rest, "shutting down") {
			t.Fatalf("got %q %v", body, err)
		}
		toldInterrupted(t, endpoint.Chat, rest)
		if s := g.proxy.gen().Upstreams[0].Gate.Breaker.Snapshot(); s.Failures != 0 {
			t.Errorf("the breaker booked %d failures for a drain", s.Failures)
		}
	})
}

func TestALengthDoesNotMakeACutStreamLookWhole(t *testing.T) {
	for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
		t.Run(ending, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := delta("a")
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					n := len(text)
					if ending == "broken" {
						n += 10
					}
					w.Header().Set("Content-Length", fmt.Sprint(n))
					streamOf(text, end)(w, r, call)
				})
				_, body, err := g.stream(g.client, "/v1/chat/completions")
				rest, ok := strings.CutPrefix(body, text)
				if !ok || err == nil {
					t.Fatalf("got %q %v", body, err)
				}
				toldInterrupted(t, endpoint.Chat, rest)
			})
		})
	}
}

func TestAConnectionIsUsedAgainAfterDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			streamOf(delta("a")+doneEvent, clean)(w, r, call)
		})
		dialled := 0
		transport := g.proxy.gen().Upstreams[0].Pooled.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			return dial(ctx, network, address)
		}
		for range 5 {
			if _, body, err := g.stream(g.client, "/v1/chat/completions"); body != delta("a")+doneEvent || err != nil {
				t.Fatalf("got %q %v", body, err)
			}
			synctest.Wait()
		}
		if dialled != 1 {
			t.Errorf("%d connections for five streams", dialled)
		}
	})
}

func TestAStreamEndsAtOnceAfterDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newConversation()
		g := newBubble(t, v.script) // it never ends the stream
		v.later(t, 0, delta("a")+doneEvent)
		start := time.Now()
		_, body, err := g.stream(g.client, "/v1/chat/completions")
		if took := time.Since(start); body != delta("a")+doneEvent || err != nil || took > attempt.EndTime {
			t.Errorf("got %q %v after %s, want it within %s", body, err, took, attempt.EndTime)
		}
	})
}

func TestACompressedStreamPassesUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		packed := bytes.Repeat([]byte{0x1f, 0x8b, 0xff}, 100)
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			w.Header().Set("Content-Encoding", "gzip")
			streamOf(string(packed), clean)(w, r, call)
		})
		if _, body, err := g.stream(g.client, "/v1/chat/completions"); body != string(packed) || err != nil {
			t.Errorf("got %q %v", body, err)
		}
	})
}
