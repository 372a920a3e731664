package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	proxywire "outrigger/proxy/wire"
)

// Content is not an API's answer: what a user stored is passed on as it is, and decides nothing.
func TestContentWithAnErrorInItIsPassedOn(t *testing.T) {
	files := map[string]string{
		"a dead key":        `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`,
		"an empty account":  `{"error":{"message":"x","code":"insufficient_quota"}}`,
		"a rate":            `{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}`,
		"an overload":       `{"error":{"message":"Overloaded","type":"overloaded_error"}}`,
		"a word":            `{"error":"invalid_api_key"}`,
		"a status":          `{"error":{"code":401,"message":"x"}}`,
		"in a list":         `[{"error":{"code":"invalid_api_key","message":"x"}}]`,
		"a line of a batch": `{"id":"b","custom_id":"1","response":null,"error":{"code":"insufficient_quota","message":"x"}}`,
		"MiniMax's":         `{"base_resp":{"status_code":1004,"status_msg":"login fail"}}`,
		"events":            "event: error\ndata: {\"error\":{\"code\":\"invalid_api_key\",\"message\":\"x\"}}\n\n",
	}
	for _, path := range []string{
		"/v1/files/file-1/content", "/v1/containers/c/files/f/content", "/v1/vector_stores/v/files/f/content", "/v1/videos/v/content?variant=thumbnail",
		"/v1/videos/v/variants", "/v1/messages/batches/b/results", "/v1/skills/s/content", "/openai/v1/files/f/content", "/v1/audio/speech/a/audio",
		"/v1/images/i/content", "/v1/something/else", "/v1/files/file-1/content/",
	} {
		for name, file := range files {
			for _, kind := range []string{proxywire.TypeJSON, "application/octet-stream", proxywire.TypeEvents} {
				t.Run(fmt.Sprint(path, " ", name, " ", kind), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
							if r.Method == http.MethodPost {
								fine(w, r, n)
								return
							}
							w.Header().Set("Content-Type", kind)
							_, _ = w.Write([]byte(file))
						})
						resp, body := g.do(g.request(http.MethodGet, path, ""))
						if resp.StatusCode != http.StatusOK || body != file || g.calls.Load() != 1 || resp.Header.Get("Content-Type") != kind {
							t.Errorf("got %d %q after %d calls", resp.StatusCode, body, g.calls.Load())
						}
						g.unharmed(name)
					})
				})
			}
		}
	}
}

// Reads of the API's own objects: an error and nothing else is one, and still no reason to refuse others.
func TestAReadFailsOnlyByAnAnswerThatIsAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"an error":                 {`{"error":{"message":"x","type":"invalid_request_error","code":"invalid_api_key"}}`, 401},
		"of a user's own":          {`{"error":{"message":"x","code":"invalid_api_key"},"rows":[1]}`, 200},
		"an error without words":   {`{"error":{"code":"invalid_api_key"}}`, 200},
		"an error that is a text":  {`{"error":"invalid_api_key"}`, 200},
		"no error":                 {`{"error":null,"data":[]}`, 200},
		"an empty one":             {`{"error":{}}`, 200},
		"a job that tells its own": {`{"id":"j","object":"fine_tuning.job","error":{"code":"x","message":"y"}}`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					if r.Method == http.MethodPost {
						fine(w, r, n)
						return
					}
					answers(200, tt.body)(w, r, n)
				})
				if resp, body := g.do(g.request(http.MethodGet, "/v1/fine_tuning/jobs/j", "")); resp.StatusCode != tt.status || body != tt.body {
					t.Errorf("got %d %s, want %d", resp.StatusCode, body, tt.status)
				}
				g.unharmed(name)
			})
		})
	}
}

// A chat whose content is an error object, and members that say that there is none.
func TestAnAnswerThatTalksOfErrorsIsNone(t *testing.T) {
	for name, body := range map[string]string{
		"JSON mode":      `{"id":"c","object":"chat.completion","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"x\"}}"}}]}`,
		"null":           `{"error":null,"id":"c","choices":[]}`,
		"empty":          `{"error":{},"id":"c","choices":[]}`,
		"an empty text":  `{"error":"","id":"c","choices":[]}`,
		"no error at 0":  `{"error":0,"id":"c","choices":[]}`,
		"false":          `{"error":false,"id":"c","choices":[]}`,
		"within a tool":  `{"id":"c","choices":[{"finish_reason":"tool_calls","message":{"tool_calls":[{"function":{"arguments":"{\"error\":{\"code\":401}}"}}]}}]}`,
		"base_resp good": `{"base_resp":{"status_code":0},"choices":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, answers(200, body))
			for range 2 {
				if resp, got := g.chat(); resp.StatusCode != 200 || !strings.Contains(got, body) {
					t.Errorf("got %d %s", resp.StatusCode, got)
				}
			}
		})
	}
}
