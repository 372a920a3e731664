package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"outrigger/policy/limit"
	"outrigger/proxy/admission"
	"outrigger/proxy/gate"
	"outrigger/proxy/observe"
	"outrigger/proxy/settings"
)

const (
	// mostKey is what one caller's text may take as a key, in bytes.
	mostKey = 300
	// mostLine is how long a line of the log may be.
	mostLine = 4 << 10
)

// named returns a request that names a model, each in another place.
var named = map[string]func(g *rig, model string) *http.Request{
	"body": func(g *rig, model string) *http.Request {
		text, _ := json.Marshal(model)
		return g.request(http.MethodPost, "/v1/chat/completions", fmt.Sprintf(`{"model":%s,"messages":[{"role":"user","content":"hi"}]}`, text))
	},
	"form": func(g *rig, model string) *http.Request {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		_ = w.WriteField("model", model)
		_ = w.Close()
		return with(g.request(http.MethodPost, "/v1/audio/transcriptions", body.String()), "Content-Type: "+w.FormDataContentType())
	},
	"WebSocket's query": func(g *rig, model string) *http.Request {
		return with(g.request(http.MethodGet, "/v1/realtime?model="+model, ""), "Upgrade: websocket", "Connection: Upgrade")
	},
	"WebSocket's deployment": func(g *rig, model string) *http.Request {
		return with(g.request(http.MethodGet, "/openai/realtime?deployment="+model, ""), "Upgrade: websocket", "Connection: Upgrade")
	},
	"Google's path": func(g *rig, model string) *http.Request {
		return g.request(http.MethodPost, "/v1beta/models/"+model+":generateContent", `{"contents":[]}`)
	},
}

// sentModels records which models were sent to which endpoints: metrics have labels for them.
type sentModels struct {
	observe.Recorder
	mu  sync.Mutex
	all []gate.Scope
}

func (s *sentModels) Done(e *observe.Event) {
	s.mu.Lock()
	s.all = append(s.all, gate.Scope{Endpoint: e.Call.Endpoint.Name, Model: e.Sent})
	s.mu.Unlock()
	s.Recorder.Done(e)
}

// keysOf returns all keys under which something is kept for an upstream, and how many breakers it
// has for what was sent like r.
func keysOf(g *rig, sent *sentModels, r *http.Request) ([]string, int) {
	var all []string
	breakers := 0
	g.settle()
	sent.mu.Lock()
	defer sent.mu.Unlock()
	u := g.proxy.gen().Upstreams[0]
	u.Queues.Each(time.Now(), func(keys []admission.Key, _ limit.Snapshot, _ bool) {
		for _, key := range keys {
			all = append(all, key.Model)
		}
	})
	u.Address(r, "", false)
	for _, s := range sent.all {
		all = append(all, s.Model)
		if s.Credential = g.proxy.credentials.Payer(r); u.Scopes.Of(s) != nil {
			breakers++
		}
	}
	return all, breakers
}

// wantShortLines checks every line that was logged.
func wantShortLines(t *testing.T, g *rig) {
	t.Helper()
	g.settle()
	for line := range strings.Lines(g.log.String()) {
		if len(line) > mostLine || !utf8.ValidString(line) {
			t.Errorf("a line of %d bytes: %.300q", len(line), line)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			if text, ok := value.(string); ok && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%s has control characters: %q", name, text)
			}
		}
	}
}

func TestModels_LongNamesBecomeShortKeysThatDiffer(t *testing.T) {
	failing := answers(http.StatusInternalServerError, `{"error":{"message":"x","code":"server_error"},"usage":{"prompt_tokens":3,"completion_tokens":4}}`)
	for where, request := range named {
		t.Run(where, func(t *testing.T) {
			g := newRig(t, failing, func(c *settings.Config) { c.Retry.Max = 0 })
			sent := &sentModels{Recorder: g.proxy.recorder}
			g.proxy.gen().Recorder = sent
			long := strings.Repeat("m", 90<<10)
			for _, model := range []string{long + "a", long + "b", "short"} {
				g.do(request(g, model))
			}
			keys, n := keysOf(g, sent, request(g, "short"))
			for _, key := range keys {
				if len(key) > mostKey {
					t.Errorf("a key of %d bytes", len(key))
				}
			}
			if n != 3 {
				t.Errorf("%d breakers for three models: %.60q", n, keys)
			}
			wantShortLines(t, g)
		})
	}
}

// A short name that is cut out of a long text is not to keep all of that in memory.
func TestModels_AShortNameDoesNotKeepTheLongRequestLineItStoodIn(t *testing.T) {
	g := newRig(t, answers(http.StatusNotFound, `{"error":{"message":"no such model","code":"model_not_found"}}`))
	padding := strings.Repeat("x", 100<<10)
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			g.do(named["WebSocket's query"](g, fmt.Sprintf("m%d&padding=%s", i, padding)))
		}
	}
	send(0, 20)
	g.log.buf.Reset()
	before := heap()
	send(20, 220)
	g.log.buf.Reset()
	if grown := heap() - before; grown > 200*40<<10 {
		t.Errorf("200 models took %d bytes, of which their limiters are a small part", grown)
	}
}

func TestLog_WhatOthersChoseIsCutAndClean(t *testing.T) {
	long := strings.Repeat("l", 90<<10)
	odd := "a\x00b\x1b[31m\nc\xff\xc3"
	text := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for name, tt := range map[string]struct {
		upstream script
		request  func(g *rig) *http.Request
	}{
		"a long method":                 {fine, func(g *rig) *http.Request { return g.request(long, "/v1/files", "") }},
		"a long path":                   {fine, func(g *rig) *http.Request { return g.request("GET", "/v1/"+long, "") }},
		"an odd path":                   {fine, func(g *rig) *http.Request { return g.request("GET", "/v1/a%00b%1b%5b31m%0ac%ff%c3%7f", "") }},
		"an odd model":                  {fine, func(g *rig) *http.Request { return named["body"](g, odd) }},
		"an odd model in a query":       {fine, func(g *rig) *http.Request { return named["WebSocket's query"](g, "a%00b%0ac%ff%c3%7f") }},
		"an odd model in a path":        {fine, func(g *rig) *http.Request { return named["Google's path"](g, "a%00b%0ac%ff%c3%7f") }},
		"a long upstream that is asked": {fine, func(g *rig) *http.Request { return g.request("GET", "/@"+long+"/v1/models", "") }},
		"a long host":                   {fine, func(g *rig) *http.Request { r := g.request("GET", "/v1/models", ""); r.Host = long; return r }},
		"a long key of the caller's": {fine, func(g *rig) *http.Request {
			return with(g.request("POST", "/v1/files", chatBody), "Idempotency-Key: "+long)
		}},
		"a long user agent": {fine, func(g *rig) *http.Request { return with(g.request("POST", "/v1/files", chatBody), "User-Agent: "+long) }},
		"a long content encoding": {fine, func(g *rig) *http.Request {
			return with(g.request("POST", "/v1/chat/completions", "no JSON"), "Content-Encoding: "+long)
		}},
		"many content encodings": {fine, func(g *rig) *http.Request {
			return with(g.request("POST", "/v1/chat/completions", "no JSON"), "Content-Encoding: "+strings.Repeat("gzip, ", 10<<10)+"gzip")
		}},
		"a long request id":           {answers(200, `{"ok":true}`, "X-Request-Id", long), (*rig).plain},
		"a long request id of others": {answers(200, `{"ok":true}`, "Request-Id", long), (*rig).plain},
		"an odd request id":           {answers(200, `{"ok":true}`, "X-Request-Id", "a\x80\xff\u202e"), (*rig).plain},
		"a long error":                {answers(400, `{"error":{"message":`+text(long)+`,"type":`+text(long)+`,"code":`+text(long)+`,"param":`+text(long)+`}}`), (*rig).plain},
		"an odd error":                {answers(400, `{"error":{"message":"a\nb\u0000","type":"a\nb\u0000","code":"a\nb\u0000","param":"a\nb\u0000"}}`), (*rig).plain},
		"a long model in the answer":  {answers(200, `{"model":`+text(long)+`,"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}`), (*rig).plain},
		"a long error in a stream":    {streamOf(delta("a")+`data: {"error":{"message":`+text(long)+`,"type":`+text(long)+`,"code":`+text(long)+"}}\n\n", clean), (*rig).streaming},
		"a long redirect":             {answers(302, "", "Location", "/v1/"+long), (*rig).plain},
		"a long status":               {hijacked(func(write func(string) error, _ <-chan struct{}) { _ = write("HTTP/1.1 200 " + long + "\r\n\r\n") }), (*rig).plain},
		"no HTTP":                     {hijacked(func(write func(string) error, _ <-chan struct{}) { _ = write(long + "\r\n\r\n") }), (*rig).plain},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, tt.upstream, func(c *settings.Config) { c.Retry.Max = 1; c.Callers.Listen = "127.0.0.1:0" })
			resp, err := g.client.Do(tt.request(g))
			if err == nil {
				_, _ = bytes.NewBuffer(nil).ReadFrom(resp.Body)
				resp.Body.Close()
			}
			eventually(t, "it ends", func() bool { return g.proxy.Inflight() == 0 })
			wantShortLines(t, g)
		})
	}
}

// plain is a call that needs nothing.
func (g *rig) plain() *http.Request {
	return g.request(http.MethodPost, "/v1/chat/completions", chatBody)
}

// streaming is a call that wants a stream.
func (g *rig) streaming() *http.Request {
	return g.request(http.MethodPost, "/v1/chat/completions", streamBody)
}
