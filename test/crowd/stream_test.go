package crowd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dialect is one language of event streams.
type dialect struct {
	path  string
	event func(i int) string // number i of a stream, which any number of them may follow
	last  string             // the terminal event, with all that has to come before it
	// cut is what stands in the error event that tells of a stream's cut.
	cut []string
}

var dialects = []dialect{
	{
		path: "/v1/chat/completions",
		event: func(i int) string {
			return fmt.Sprintf(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%d"},"finish_reason":null}]}`+"\n\n", i)
		},
		last: `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		cut:  []string{`data: {"error":{`, `"code":"stream_interrupted"`},
	},
	{
		path: "/v1/responses",
		event: func(i int) string {
			return fmt.Sprintf("event: response.output_text.delta\n"+`data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":"i","output_index":0,"content_index":0,"delta":"x"}`+"\n\n", i)
		},
		last: "event: response.completed\n" + `data: {"type":"response.completed","sequence_number":100000,"response":{"id":"r","object":"response","status":"completed","output":[]}}` + "\n\n",
		cut:  []string{"event: error\n", `"code":"stream_interrupted"`, `"error":{`, `"sequence_number":`},
	},
	{
		path: "/v1/messages",
		event: func(i int) string {
			return fmt.Sprintf("event: content_block_delta\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%d"}}`+"\n\n", i)
		},
		last: "event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
		cut:  []string{"event: error\n", `{"type":"error","error":{`},
	},
}

// text is a whole stream of n events.
func (d dialect) text(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(d.event(i))
	}
	return b.String() + d.last
}

// eventsHeader tells the upstream how many events a stream is to have.
const eventsHeader = "X-Crowd-Events"

// beat is the time between two events.
const beat = 50 * time.Millisecond

// newStreamer is an upstream whose streams have as many events as their request
// asks for. Its other answers never come.
func newStreamer(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n, err := strconv.Atoi(r.Header.Get(eventsHeader))
		for _, d := range dialects {
			if err == nil && r.URL.Path == d.path {
				d.send(w, r, n)
				return
			}
		}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	return server.URL
}

func (d dialect) send(w http.ResponseWriter, r *http.Request, n int) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range n {
		if _, err := io.WriteString(w, d.event(i)); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		wait(r.Context(), beat)
	}
	_, _ = io.WriteString(w, d.last)
}

// listener is a caller with an open stream, of which the first event was read.
type listener struct {
	dialect dialect
	events  int
	body    *bufio.Reader
	first   string
}

// listen opens one stream for each number of events, in the dialects by turns.
func listen(t *testing.T, client *http.Client, base string, events ...int) []listener {
	t.Helper()
	all, listeners := sync.WaitGroup{}, make([]listener, len(events))
	for i, n := range events {
		all.Go(func() {
			l := &listeners[i]
			l.dialect, l.events = dialects[i%len(dialects)], n
			response, err := client.Do(streamRequest(t.Context(), base, l.dialect.path, n))
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { response.Body.Close() })
			l.body = bufio.NewReader(response.Body)
			first := make([]byte, len(l.dialect.event(0)))
			if _, err := io.ReadFull(l.body, first); err != nil || string(first) != l.dialect.event(0) {
				t.Errorf("status %d, began with %q, %v", response.StatusCode, first, err)
			}
			l.first = string(first)
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return listeners
}

func streamRequest(ctx context.Context, base, path string, events int) *http.Request {
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, base+path,
		strings.NewReader(`{"model":"m","max_tokens":500,"stream":true,"input":"hello","messages":[{"role":"user","content":"hello"}]}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-crowd")
	request.Header.Set(eventsHeader, strconv.Itoa(events))
	return request
}

// complete reads the stream to its end, which must be the true one.
func (l listener) complete() error {
	rest, err := io.ReadAll(l.body)
	if text := l.first + string(rest); err != nil || text != l.dialect.text(l.events) {
		return fmt.Errorf("%s: %d bytes of %d, ending with %.200q, %w",
			l.dialect.path, len(text), len(l.dialect.text(l.events)), text[max(0, len(text)-200):], err)
	}
	return nil
}

// told reads the stream to its cut, of which the caller must have been told.
func (l listener) told() error {
	rest, err := io.ReadAll(l.body)
	text := l.first + string(rest)
	if err == nil {
		return fmt.Errorf("%s: a stream that was cut ended cleanly: %q", l.dialect.path, text)
	}
	whole, at := l.dialect.text(l.events), 0
	for at < len(text) && at < len(whole) && text[at] == whole[at] {
		at++
	}
	ending := text[strings.LastIndex(text[:at], "\n\n")+2:]
	for _, part := range l.dialect.cut {
		if !strings.Contains(ending, part) {
			return fmt.Errorf("%s: after the cut came %q, without %q (%w)", l.dialect.path, ending, part, err)
		}
	}
	return nil
}
