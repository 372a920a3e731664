package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/endpoint"
	proxywire "outrigger/proxy/wire"
)

// as is a script that says text under the given labels, and ends it as end says.
func as(kind, encoding, text string, end func()) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		if encoding != "" {
			w.Header().Set("Content-Encoding", encoding)
		}
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		end()
	}
}

// atFirst answers the first call by one script and all others by another.
func atFirst(first, others script) script {
	return func(w http.ResponseWriter, r *http.Request, call int) {
		if call == 1 {
			first(w, r, call)
			return
		}
		others(w, r, call)
	}
}

// wrongTypes are labels under which event streams have come.
var wrongTypes = map[string]string{
	"JSON":       "application/json",
	"text":       "text/plain; charset=utf-8",
	"malformed":  "text/event-stream; ;;=",
	"none":       "",
	"octets":     "application/octet-stream",
	"lines":      "application/x-ndjson",
	"a page":     "text/html",
	"no type":    "event-stream",
	"right also": "text/event-stream",
}

func TestAStreamUnderAnotherLabelIsWatchedLikeAny(t *testing.T) {
	for name, kind := range wrongTypes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header()["Content-Type"] = []string{kind}
					_ = http.NewResponseController(w).Flush()
					for {
						select {
						case text := <-v.say:
							_, _ = io.WriteString(w, text)
							_ = http.NewResponseController(w).Flush()
						case end := <-v.over:
							end()
							return
						}
					}
				})
				start := time.Now()
				for i, text := range []string{"a", "b", "c"} {
					v.later(t, time.Duration(i+1)*200*time.Millisecond, delta(text))
				}
				resp, err := g.client.Do(g.request(http.MethodPost, "/v1/chat/completions", streamBody))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				for i, text := range []string{"a", "b", "c"} {
					got := make([]byte, len(delta(text)))
					_, err := io.ReadFull(resp.Body, got)
					if at := time.Since(start); string(got) != delta(text) || err != nil || at != time.Duration(i+1)*200*time.Millisecond {
						t.Errorf("event %d is %q %v after %s", i+1, got, err, at)
					}
				}
				v.over <- clean
				rest, err := io.ReadAll(resp.Body)
				if err == nil {
					t.Error("a stream that was cut ended as if all were well")
				}
				toldInterrupted(t, endpoint.Chat, string(rest))
			})
		})
	}
}

func TestAStreamIsKnownByItsFirstLine(t *testing.T) {
	whole := delta("a") + doneEvent
	for name, opening := range map[string]string{
		"data": "", "a mark": "\ufeff", "a comment": ": hello\n\n", "an event": "event: message\n", "an id": "id: 7\n",
		"a time to retry": "retry: 3000\n\n", "blank lines": "\n\r\n\n", "no space": "data:{\"choices\":[]}\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, as("application/json", "", opening+whole, clean))
				if resp, body, err := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 200 || body != opening+whole || err != nil {
					t.Errorf("whole: got %d %q %v", resp.StatusCode, body, err)
				}
				g = newBubble(t, as("application/json", "", opening+delta("a"), clean))
				_, body, err := g.stream(g.client, "/v1/chat/completions")
				rest, ok := strings.CutPrefix(body, opening+delta("a"))
				if !ok || err == nil {
					t.Fatalf("cut: got %q %v", body, err)
				}
				toldInterrupted(t, endpoint.Chat, rest)
			})
		})
	}
}

func TestAnErrorThatBeginsAStreamUnderAnotherLabelIsRetried(t *testing.T) {
	whole := delta("a") + doneEvent
	failure := "data: {\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\"}}\n\n"
	quota := `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	for name, kind := range wrongTypes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, first := range []script{as(kind, "", failure, clean), as(kind, "", ": ping\n\n"+failure, broken), as(kind, "", ": ping\n\n", clean), as(kind, "", "dat", broken), as(kind, "", "dat", clean), as(kind, "", "", clean)} {
					g := newBubble(t, atFirst(first, as(kind, "", whole, clean)))
					if resp, body, err := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 200 || body != whole || err != nil || g.calls.Load() != 2 {
						t.Errorf("got %d %q %v after %d calls", resp.StatusCode, body, err, g.calls.Load())
					}
				}
				g := newBubble(t, as(kind, "", "data: "+quota+"\n\n", clean))
				if resp, body, _ := g.stream(g.client, "/v1/chat/completions"); resp.StatusCode != 429 || body != quota || g.calls.Load() != 1 {
					t.Errorf("got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
				}
			})
		})
	}
}

// A cut in the first word, of an endpoint that may answer with text.
func TestATranscriptsStreamThatIsCutInItsFirstWordIsRetried(t *testing.T) {
	whole := "data: {\"type\":\"transcript.text.done\",\"text\":\"a\"}\n\n"
	for name, kind := range wrongTypes {
		if strings.HasPrefix(kind, "text/") && kind != proxywire.TypeEvents && !strings.Contains(kind, ";;") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, atFirst(as(kind, "", "da", clean), as(kind, "", whole, clean)))
				if resp, body, err := g.stream(g.client, "/v1/audio/transcriptions"); resp.StatusCode != 200 || body != whole || err != nil || g.calls.Load() != 2 {
					t.Errorf("got %d %q %v after %d calls", resp.StatusCode, body, err, g.calls.Load())
				}
			})
		})
	}
}

// What is no stream stays what it is, though a stream was asked for or it looks like one.
func TestWhatIsNoStreamStaysWhatItIs(t *testing.T) {
	const answer = `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"data: a"},"finish_reason":"stop"}]}`
	events := "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n"
	tests := map[string]struct {
		method, path, body string
		kind, sent         string
	}{
		"JSON for a stream":                    {"POST", "/v1/chat/completions", streamBody, "application/json", answer},
		"JSON for a stream, labelled as one":   {"POST", "/v1/chat/completions", streamBody, "text/event-stream", answer},
		"JSON for a stream, without a label":   {"POST", "/v1/chat/completions", streamBody, "", answer},
		"a recording for a stream":             {"POST", "/v1/audio/speech", streamBody, "audio/mpeg", "ID3\x04data: "},
		"text for a stream":                    {"POST", "/v1/audio/transcriptions", streamBody, "text/plain", "so it goes"},
		"a file of events":                     {"GET", "/v1/files/f/content", "", "application/octet-stream", events},
		"a file of events, labelled as JSON":   {"GET", "/v1/files/f/content", "", "application/json", events},
		"a file of events, labelled as such":   {"GET", "/v1/files/f/content", "", "text/event-stream", events},
		"a file of a page":                     {"GET", "/v1/files/f/content", "", "text/html", "<html>"},
		"a file of half an object":             {"GET", "/v1/files/f/content", "", "application/json", `{"a":`},
		"a container's file":                   {"GET", "/v1/containers/c/files/f/content", "", "application/json", `{"a":`},
		"a batch's results":                    {"GET", "/v1/messages/batches/b/results", "", "application/x-jsonl", "{\"a\":1}\n{\"b\""},
		"text of a transcription":              {"POST", "/v1/audio/transcriptions", chatBody, "text/plain", "<inaudible> so it goes"},
		"subtitles":                            {"POST", "/v1/audio/transcriptions", chatBody, "text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n"},
		"numbered subtitles":                   {"POST", "/v1/audio/translations", chatBody, "", "1\n00:00:00,000 --> 00:00:01,000\nhi\n"},
		"a page of an unknown endpoint":        {"GET", "/", "", "text/html", "<!doctype html><title>web UI</title>"},
		"a page of another":                    {"POST", "/v1/interactions", chatBody, "text/html", "<!doctype html><title>web UI</title>"},
		"nothing for a create":                 {"POST", "/v1/vector_stores", chatBody, "application/json", ""},
		"no words for a stream":                {"POST", "/v1/audio/transcriptions", streamBody, "text/plain", "\n"},
		"no word":                              {"POST", "/v1/audio/transcriptions", streamBody, "text/plain", ""},
		"nothing for a delete":                 {"DELETE", "/v1/files/f", "", "", ""},
		"plain words":                          {"POST", "/v1/chat/completions", chatBody, "text/plain", "no JSON, but no error either"},
		"JSON lines":                           {"POST", "/v1/chat/completions", chatBody, "application/json", "{\"a\":1}\n{\"b\":2}\n"},
		"JSON that is wrong otherwise":         {"POST", "/v1/chat/completions", chatBody, "application/json", `{"a":NaN,}`},
		"braces in a string":                   {"POST", "/v1/chat/completions", chatBody, "application/json", `{"a":"{[\"{"}`},
		"a whole stream that nobody asked for": {"POST", "/v1/chat/completions", chatBody, "text/event-stream", delta("a") + doneEvent},
		"and labelled as JSON":                 {"POST", "/v1/chat/completions", chatBody, "application/json", delta("a") + doneEvent},
	}
	for name, tt := range tests {
		for length, chunked := range map[string]bool{"in chunks": true, "with a length": false} {
			t.Run(name+"/"+length, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
						if chunked {
							as(tt.kind, "", tt.sent, clean)(w, r, call)
							return
						}
						_, _ = io.Copy(io.Discard, r.Body)
						w.Header()["Content-Type"] = []string{tt.kind}
						_, _ = io.WriteString(w, tt.sent)
					})
					start := time.Now()
					resp, body := g.do(g.request(tt.method, tt.path, tt.body))
					if resp.StatusCode != 200 || body != tt.sent || g.calls.Load() != 1 || time.Since(start) != 0 {
						t.Errorf("got %d %q after %d calls and %s", resp.StatusCode, body, g.calls.Load(), time.Since(start))
					}
				})
			})
		}
	}
}
