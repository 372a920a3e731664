package traffic

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Upstream answers every chat at once, with the headers that OpenAI sends. A stream whose
// pace is 0 ends when held is done. Its limits are far above any load: what is measured is
// work, not waiting.
func Upstream(held context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h := w.Header()
		h.Set("X-Request-Id", "req_1")
		h.Set("Openai-Processing-Ms", "1")
		h.Set("X-Ratelimit-Limit-Requests", "60000000")
		h.Set("X-Ratelimit-Remaining-Requests", "59999999")
		h.Set("X-Ratelimit-Reset-Requests", "1ms")
		h.Set("X-Ratelimit-Limit-Tokens", "60000000000")
		h.Set("X-Ratelimit-Remaining-Tokens", "59999999000")
		h.Set("X-Ratelimit-Reset-Tokens", "1ms")
		words, streams := user(string(body))
		if !streams {
			h.Set("Content-Type", "application/json")
			h.Set("Content-Length", strconv.Itoa(len(Answer)))
			_, _ = io.WriteString(w, Answer)
			return
		}
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		stream(held, w, r, words)
	})
}

// user finds the words that say how a stream is to run. Gateways write the body anew, some
// with a space after the colon.
func user(body string) (string, bool) {
	_, words, found := strings.Cut(body, `"user":`)
	words, quoted := strings.CutPrefix(strings.TrimLeft(words, " "), `"`)
	return words, found && quoted
}

func stream(held context.Context, w http.ResponseWriter, r *http.Request, words string) {
	flusher := http.NewResponseController(w)
	send := func(text string) {
		_, _ = io.WriteString(w, text)
		_ = flusher.Flush()
	}
	send(Chunk)
	var as Run
	_, _ = fmt.Sscan(words, &as.Events, (*int64)(&as.Pace))
	if as.Pace == 0 {
		select {
		case <-held.Done():
			send(Last)
		case <-r.Context().Done():
		}
		return
	}
	ticks := time.NewTicker(as.Pace)
	defer ticks.Stop()
	for range as.Events - 2 {
		select {
		case <-ticks.C:
		case <-r.Context().Done():
			return
		}
		send(Chunk)
	}
	<-ticks.C
	send(Last)
}
