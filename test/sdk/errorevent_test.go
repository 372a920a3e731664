package sdk

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// streaming has a client's call be streamed.
const streaming = "STREAMS=yes"

// The connection is broken off behind an error event: langchain4j takes one with a clean end for
// the end of a whole answer, and goes by the connection alone.
func TestAnErrorEventIsAnErrorToAClientThatReadsNone(t *testing.T) {
	const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":"It floats."},"finish_reason":`
	half := chunk + "null}]}\n\n"
	const failure = `data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}` + "\n\n"
	tests := map[string]struct {
		body string
		ok   bool
	}{
		"a whole answer":                  {half + chunk + "\"stop\"}]}\n\ndata: [DONE]\n\n", true},
		"an error event":                  {half + failure, false},
		"an error event and [DONE]":       {half + failure + "data: [DONE]\n\n", false},
		"a clean end without finish":      {half, false},
		"a finish that names a failure":   {half + chunk + "\"abort\"}]}\n\ndata: [DONE]\n\n", false},
		"a named error event, in the end": {half + "event: error\n" + failure, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = w.Write([]byte(tt.body))
			}))
			t.Cleanup(upstream.Close)
			w := client{way: byBaseURL}.start(t, troubles{}, waits(upstream.URL))
			if got := langchain4j.call(t, w.base(), "", streaming); got.OK != tt.ok {
				t.Errorf("%s: succeeded %t (%s), want %t", got.Version, got.OK, got.Error, tt.ok)
			}
		})
	}
}
