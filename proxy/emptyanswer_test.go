package proxy

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// blank answers with a status and no content, with a length of 0 or in no chunks.
func blank(status int, kind, text string, chunked bool) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if chunked {
			as(kind, "", text, clean)(w, r, n)
			return
		}
		_ = readAll(r)
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

const rerankBody = `{"model":"m","query":"q","documents":["a"]}`

// No client can read an answer that has nothing in it.
func TestAnEmptyAnswerToAComputeIsAFailure(t *testing.T) {
	for name, tt := range map[string]struct{ path, body, kind, text string }{
		"a chat":                {"/v1/chat/completions", chatBody, "application/json", ""},
		"without a label":       {"/v1/chat/completions", chatBody, "", ""},
		"as text":               {"/v1/chat/completions", chatBody, "text/plain", ""},
		"white space":           {"/v1/chat/completions", chatBody, "application/json", " \n\n"},
		"a byte order mark":     {"/v1/chat/completions", chatBody, "", "\ufeff"},
		"a stream":              {"/v1/chat/completions", streamBody, "text/event-stream", ""},
		"one that came as JSON": {"/v1/responses", `{"model":"m","stream":true,"input":"x"}`, "application/json", ""},
		"embeddings":            {"/v1/embeddings", `{"model":"m","input":"x"}`, "application/json", ""},
		"under another base":    {"/api/v2/rerank", rerankBody, "application/json", ""},
		"a message":             {"/v1/messages", `{"model":"m","max_tokens":1,"messages":[]}`, "", ""},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					wrong := blank(200, tt.kind, tt.text, chunked)
					g := newBubble(t, atFirst(wrong, fine))
					if resp, body := g.do(g.request("POST", tt.path, tt.body)); resp.StatusCode != 200 || body != `{"ok":true}` || g.calls.Load() != 2 {
						t.Errorf("once, chunked %t: %d %q after %d calls", chunked, resp.StatusCode, body, g.calls.Load())
					}
					g = newBubble(t, wrong)
					resp, body := g.do(g.request("POST", tt.path, tt.body))
					if resp.StatusCode != 502 || errorCode(t, body) != "upstream_broke" || g.calls.Load() != 5 {
						t.Errorf("always, chunked %t: %d %q after %d calls", chunked, resp.StatusCode, body, g.calls.Load())
					}
				})
			})
		}
	}
}

func TestAnEmptyAnswerToACompute_IsToldAsWhatItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, blank(200, "application/json", "", false))
		if _, body := g.chat(); !strings.Contains(body, "status 200 and an empty body") {
			t.Error(body)
		}
		zipped := bytes.Buffer{}
		_ = gzip.NewWriter(&zipped).Close()
		g = newBubble(t, atFirst(as("application/json", "gzip", zipped.String(), clean), fine))
		if resp, body := g.chat(); resp.StatusCode != 200 || g.calls.Load() != 2 {
			t.Errorf("nothing, compressed: %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
		}
	})
}

// A chat that is kept, or a background response, may have been carried out.
func TestAnEmptyAnswerToAKeptComputeIsAmbiguous(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"m","store":true,"messages":[]}`,
		"/v1/responses":        `{"model":"m","background":true,"input":"x"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, blank(200, "application/json", "", false))
			resp, got := g.do(g.request("POST", path, body))
			if resp.StatusCode != 424 || errorCode(t, got) != "upstream_ambiguous" || g.calls.Load() != 1 {
				t.Errorf("%s: %d %q after %d calls", path, resp.StatusCode, got, g.calls.Load())
			}
		})
	}
}

// Elsewhere the status may say all.
func TestAnEmptyAnswerThatMayBeOnePasses(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
	}{
		"no content":     {"POST", "/v1/chat/completions", chatBody, 204},
		"accepted":       {"POST", "/v1/chat/completions", chatBody, 202},
		"HEAD":           {"HEAD", "/v1/chat/completions", "", 200},
		"removed":        {"DELETE", "/v1/files/file-1", "", 200},
		"canceled":       {"POST", "/v1/responses/resp_1/cancel", "", 200},
		"an empty file":  {"GET", "/v1/files/file-1/content", "", 200},
		"no sound":       {"POST", "/v1/audio/speech", `{"model":"m","input":"x","voice":"a"}`, 200},
		"no text":        {"POST", "/v1/audio/transcriptions", `{"model":"m"}`, 200},
		"a list":         {"GET", "/v1/models", "", 200},
		"a create":       {"POST", "/v1/vector_stores", `{"name":"x"}`, 200},
		"a call":         {"POST", "/v1/realtime/calls/rtc_1/hangup", "", 200},
		"unknown":        {"POST", "/v1/something/new", `{}`, 200},
		"unknown, a GET": {"GET", "/healthz", "", 200},
	} {
		for _, chunked := range []bool{false, true} {
			if chunked && tt.status != 200 {
				continue
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, blank(tt.status, "application/json", "", chunked))
					resp, body := g.do(g.request(tt.method, tt.path, tt.body))
					if resp.StatusCode != tt.status || body != "" || g.calls.Load() != 1 || resp.Header.Get("X-Outrigger-Source") != "upstream" {
						t.Errorf("chunked %t: %d %q after %d calls", chunked, resp.StatusCode, body, g.calls.Load())
					}
				})
			})
		}
	}
}

// A stream with a length, in one piece with its headers, is told of like any.
func TestACutStreamThatCameInOnePieceIsTold(t *testing.T) {
	sent := delta("a") + delta("b")
	for kind := range map[string]bool{"application/json": true, "text/plain": true, "text/event-stream": true, "": true} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, blank(200, kind, sent, false))
			resp, body, err := g.stream(g.client, "/v1/chat/completions")
			if resp.StatusCode != 200 || err == nil || !strings.HasPrefix(body, sent) || !strings.Contains(body, "stream_interrupted") {
				t.Errorf("cut, as %q: %d %q %v", kind, resp.StatusCode, body, err)
			}
			whole := sent + finish("stop") + "data: [DONE]\n\n"
			g = newBubble(t, blank(200, kind, whole, false))
			if resp, body, err := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 200 || body != whole || err != nil {
				t.Errorf("whole, as %q: %d %q %v", kind, resp.StatusCode, body, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, blank(200, "application/json", opened+firstText, false))
		if resp, body, err := g.stream(g.client, "/v1/responses"); resp.StatusCode != 200 || err == nil || !strings.HasPrefix(body, opened+firstText) {
			t.Errorf("a response: %d %q %v", resp.StatusCode, body, err)
		}
	})
}
