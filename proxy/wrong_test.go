package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

const goodAnswer = `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`

const pageSent = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back soon.</body></html>"

// wrongAnswers are answers with status 200 that no client can read.
var wrongAnswers = map[string]struct {
	kind, sent string
	status     int    // that they stand for, if they come again and again
	code       string // and the code
	calls      int64  // then
}{
	"an event with a server's error":    {"application/json", "event:error\ndata:{\"code\":\"InternalError\",\"message\":\"Something went wrong\"}\n\n", 500, "InternalError", 5},
	"without its blank line":            {"application/json", "event:error\ndata:{\"code\":\"internal_error\",\"message\":\"x\"}", 500, "internal_error", 5},
	"one with an id and a comment":      {"application/json", "id:1\nevent:error\n:HTTP_STATUS/500\ndata:{\"code\":\"InternalError\",\"message\":\"x\",\"request_id\":\"r\"}\n\n", 500, "InternalError", 5},
	"one that is the caller's fault":    {"application/json", "id:1\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"InvalidParameter\",\"message\":\"x\",\"request_id\":\"r\"}\n\n", 400, "InvalidParameter", 1},
	"an error without an event's name":  {"", "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"overloaded_error\",\"code\":\"overloaded_error\"}}\n\ndata: [DONE]\n\n", 529, "overloaded_error", 5},
	"an error after a ping, as text":    {"text/plain", ": ping\n\ndata: {\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"code\":\"server_error\"}}\r\n\r\n", 500, "server_error", 5},
	"one that no retry mends":           {"application/json", "event: error\ndata: {\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}\n\n", 429, "insufficient_quota", 1},
	"a page":                            {"text/html; charset=utf-8", pageSent, 502, "upstream_broke", 2},
	"a page as JSON":                    {"application/json", "\n" + strings.ToLower(pageSent), 502, "upstream_broke", 2},
	"a page without a label":            {"", "\ufeff<html>", 502, "upstream_broke", 2},
	"a page that is long":               {"text/html", pageSent + strings.Repeat("<p>and so on", 1<<17), 502, "upstream_broke", 2},
	"a storage's error":                 {"application/xml", `<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>`, 502, "upstream_broke", 2},
	"half an answer":                    {"application/json", goodAnswer[:70], 502, "upstream_broke", 5},
	"one that lacks its last byte":      {"application/json", goodAnswer[:len(goodAnswer)-1], 502, "upstream_broke", 5},
	"half, without a label":             {"", goodAnswer[:70], 502, "upstream_broke", 5},
	"half, as text":                     {"text/plain", goodAnswer[:70], 502, "upstream_broke", 5},
	"half of a list":                    {"application/json", `[{"a":1},`, 502, "upstream_broke", 5},
	"an open brace":                     {"application/json", `{`, 502, "upstream_broke", 5},
	"a string that ends in a backslash": {"application/json", `{"a":"b\`, 502, "upstream_broke", 5},
}

func TestAnAnswerThatNoClientCanReadIsAFailure(t *testing.T) {
	for name, tt := range wrongAnswers {
		for _, length := range []bool{false, true} {
			wrong := as(tt.kind, "", tt.sent, clean)
			if length {
				wrong = func(w http.ResponseWriter, r *http.Request, _ int) {
					w.Header()["Content-Type"] = []string{tt.kind}
					w.Header()["Content-Length"] = nil
					_, _ = w.Write([]byte(tt.sent))
				}
			}
			right := as("application/json", "", goodAnswer, clean)
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					quick := func(c *settings.Config) { c.Breaker.Consecutive, c.Breaker.Ratio = 1000, 1 }
					if tt.calls > 1 {
						g := newBubble(t, atFirst(wrong, right), quick)
						if resp, body := g.chat(); resp.StatusCode != 200 || body != goodAnswer || g.calls.Load() != 2 {
							t.Errorf("once: got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
						}
					}
					g := newBubble(t, wrong, quick)
					resp, body := g.chat()
					if resp.StatusCode != tt.status || !strings.Contains(body, `"code":"`+tt.code+`"`) || g.calls.Load() != tt.calls {
						t.Errorf("always: got %d %q after %d calls, want %d %s after %d", resp.StatusCode, body, g.calls.Load(), tt.status, tt.code, tt.calls)
					}
					if resp.Header.Get("Content-Type") != "application/json" {
						t.Errorf("the error is labelled %q", resp.Header.Get("Content-Type"))
					}
				})
			})
		}
	}
}

// A create that was answered so may have been carried out.
func TestACreateWithAnAnswerThatNoClientCanReadIsNotRepeated(t *testing.T) {
	for name, tt := range wrongAnswers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, as(tt.kind, "", tt.sent, clean))
				resp, body := g.do(g.request(http.MethodPost, "/v1/files", chatBody))
				if resp.StatusCode < 400 || g.calls.Load() != 1 {
					t.Errorf("got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
				}
				if tt.code == "upstream_broke" && (resp.StatusCode != http.StatusFailedDependency || errorCode(t, body) != "upstream_ambiguous") {
					t.Errorf("got %d %q", resp.StatusCode, body)
				}
			})
		})
	}
}

// What is labelled as JSON and begins like an event stream is no answer of any endpoint's but
// of those that give back files.
func TestAnErrorEventIsAFailureOfAnyEndpoint(t *testing.T) {
	tt := wrongAnswers["an event with a server's error"]
	for path, calls := range map[string]int64{"/v1/audio/transcriptions": 2, "/v1/embeddings": 2, "/v1/interactions": 1} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, atFirst(as(tt.kind, "", tt.sent, clean), as("application/json", "", goodAnswer, clean)))
			resp, body := g.do(g.request(http.MethodPost, path, chatBody))
			if g.calls.Load() != calls || (calls == 2) != (resp.StatusCode == 200) || resp.StatusCode != 200 && !strings.Contains(body, tt.code) {
				t.Errorf("%s: got %d %q after %d calls", path, resp.StatusCode, body, g.calls.Load())
			}
		})
	}
}

// Pages say that a path is wrong, not that the upstream is ill: other calls go on.
func TestPagesDoNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			if strings.HasSuffix(r.URL.Path, "/models") {
				as("text/html", "", pageSent, clean)(w, r, call)
				return
			}
			as("application/json", "", goodAnswer, clean)(w, r, call)
		})
		for range 200 {
			resp, body := g.do(g.request(http.MethodGet, "/v1/models", ""))
			if resp.StatusCode != 502 || !strings.Contains(body, "web page") {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
		}
		start := time.Now()
		if resp, _ := g.chat(); resp.StatusCode != 200 || time.Since(start) != 0 {
			t.Errorf("a chat got %d after %s", resp.StatusCode, time.Since(start))
		}
	})
}

// What is too long to be held passes as it is.
func TestALongAnswerIsNotHeldForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := `{"data":"` + strings.Repeat("x", 2<<20)
		g := newBubble(t, as("application/json", "", sent, clean))
		if resp, body := g.chat(); resp.StatusCode != 200 || body != sent {
			t.Errorf("got %d and %d bytes", resp.StatusCode, len(body))
		}
	})
}

// Encoded refusals are read by their first bytes.
func TestAnErrorBodyIsReadWhateverItsCoding(t *testing.T) {
	quota := `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	bodies := map[string]struct{ label, sent string }{
		"plain as gzip":    {"gzip", quota},
		"plain as br":      {"br", quota},
		"plain as a label": {"utf-8", quota},
	}
	for name, tt := range codings {
		bodies[name] = struct{ label, sent string }{tt.label, strings.Join(packed(t, tt.coding, quota), "")}
		bodies[name+", cut"] = struct{ label, sent string }{tt.label, packed(t, tt.coding, quota)[0]}
	}
	for name, tt := range bodies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
					w.Header().Set("Content-Type", "application/json")
					if tt.label != "" {
						w.Header().Set("Content-Encoding", tt.label)
					}
					w.WriteHeader(http.StatusTooManyRequests)
					_, _ = w.Write([]byte(tt.sent))
				})
				for range 3 {
					if resp, body := g.chat(); resp.StatusCode != 429 || body != tt.sent || resp.Header.Get("Content-Encoding") != tt.label {
						t.Errorf("got %d %q", resp.StatusCode, body)
					}
				}
				if n := g.calls.Load(); n != 1 {
					t.Errorf("%d calls for an account without money", n)
				}
			})
		})
	}
}
