package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/proxy/settings"
)

const messagesBody = `{"model":"c","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`

func TestACallUnderAnyBaseIsRetriedAsWhatItIs(t *testing.T) {
	const stored = `{"model":"m","messages":[],"store":true}`
	for name, tt := range map[string]struct {
		path, body string
		calls      int64
	}{
		"Open WebUI":             {"/api/chat/completions", chatBody, 3},
		"Cloudflare":             {"/v1/a/g/compat/chat/completions", chatBody, 3},
		"Vertex":                 {"/v1/projects/p/locations/l/endpoints/openapi/chat/completions", chatBody, 3},
		"a model runner":         {"/engines/v1/chat/completions", chatBody, 3},
		"an inference":           {"/inference/chat/completions", chatBody, 3},
		"Azure behind a gateway": {"/gw/openai/deployments/x/chat/completions", `{"messages":[]}`, 3},
		"Anthropic, there":       {"/gw/anthropic/v1/messages", messagesBody, 3},
		"embeddings":             {"/gw/v1/embeddings", `{"model":"m","input":"x"}`, 3},
		"Gemini":                 {"/v1beta/models/g:generateContent", `{"contents":[]}`, 3},
		"Gemini, of a batch":     {"/v1beta/models/g:batchGenerateContent", `{"batch":{}}`, 1},
		"a chat that is stored":  {"/api/chat/completions", stored, 1},
		"another body":           {"/api/chat/completions", `{"title":"x"}`, 1},
		"a body that is broken":  {"/api/chat/completions", chatBody + "}", 1},
		"a thread's message":     {"/api/threads/t/messages", messagesBody, 1},
		"a chat's message":       {"/api/v1/chats/7/messages", messagesBody, 1},
		"a course's completions": {"/api/courses/7/completions", `{"model":"m","prompt":"x"}`, 1},
		"an unknown tail":        {"/api/chat/completions/share", chatBody, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for failure, s := range map[string]script{"500": apiError(500), "a reset": hangUp} {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, s, func(c *settings.Config) { c.Retry.Max = 2 })
					resp, body := g.do(g.request("POST", tt.path, tt.body))
					if g.calls.Load() != tt.calls {
						t.Errorf("%s: %d calls, want %d", failure, g.calls.Load(), tt.calls)
					}
					if ambiguous := failure == "a reset" && tt.calls == 1; ambiguous != (resp.StatusCode == 424) {
						t.Errorf("%s: got %d %s", failure, resp.StatusCode, body)
					}
				})
			}
		})
	}
}

func TestAStreamUnderAnyBaseIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		resp, err := g.client.Do(g.request("POST", "/api/chat/completions", strings.Replace(chatBody, "{", `{"stream":true,`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), "stream_interrupted") {
			t.Errorf("a cut is not told: %q", body)
		}
	})
}

func TestGooglesOwnCallsAreLimitedByTheModelInTheirPath(t *testing.T) {
	g, got := catching(t, renames(settings.Model{Requested: "gemini-pro", Sent: "gemini/2.5-pro"}))
	for path, want := range map[string]string{
		"/v1beta/models/gemini-flash:generateContent":                  "/v1beta/models/gemini-flash:generateContent",
		"/v1beta/models/gemini-flash:countTokens":                      "/v1beta/models/gemini-flash:countTokens",
		"/v1beta/models/gemini-pro:streamGenerateContent?alt=sse":      "/v1beta/models/gemini%2F2.5-pro:streamGenerateContent?alt=sse",
		"/v1/projects/p/locations/l/models/gemini-pro%3AembedContent/": "/v1/projects/p/locations/l/models/gemini%2F2.5-pro%3AembedContent/",
	} {
		r := with(g.request("POST", path, `{"model":"models/gemini-pro","contents":[]}`), "Accept-Encoding: gzip")
		if resp, body := g.do(r); resp.StatusCode != 200 {
			t.Fatalf("%s: got %d %s", path, resp.StatusCode, body)
		}
		a := <-got
		if a.target != want {
			t.Errorf("%s arrived as %s", path, a.target)
		}
		accepts := "gzip"
		if strings.Contains(path, "stream") {
			accepts = "identity"
		}
		if coding := a.header.Get("Accept-Encoding"); coding != accepts {
			t.Errorf("%s: Accept-Encoding %q, want %q", path, coding, accepts)
		}
	}
	var models []string
	for _, l := range g.status().Upstreams[0].Limits {
		models = append(models, l.Model)
	}
	if len(models) != 2 || !strings.Contains(fmt.Sprint(models), "gemini-flash") || !strings.Contains(fmt.Sprint(models), "gemini/2.5-pro") {
		t.Errorf("limiters of %v", models)
	}
}

// What says nothing of its type, or something else, is read for what it is: it takes its
// model's place in the queue, and does not pass it by.
func TestABodyWithoutATypeIsLimitedByItsModel(t *testing.T) {
	for _, kind := range []string{"", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "application/octet-stream"} {
		g, got := catching(t)
		r := g.request("POST", "/v1/chat/completions", chatBody)
		r.Header.Del("Content-Type")
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		g.do(r)
		a := <-got
		if limits := g.status().Upstreams[0].Limits; len(limits) != 1 || limits[0].Model != "gpt-4o-mini" || a.body != chatBody || a.header.Get("Content-Type") != kind {
			t.Errorf("%q: limiters %+v; arrived as %q with %v", kind, limits, a.body, a.header)
		}
	}
}
