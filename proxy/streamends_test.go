package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/attempt"
	"outrigger/proxy/response"
)

func event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

func finish(reason string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}]}\n\n", reason)
}

func thought(text, reason string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":%q},\"finish_reason\":%q}]}\n\n", text, reason)
}

const (
	usageEvent   = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n"
	messageStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n"
	blockStart   = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	blockDelta   = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n"
	messageDelta = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
	messageStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

// responses are the events that open a response, and its first text.
var (
	opened = event("response.created", `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress"}}`) +
		event("response.in_progress", `{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","status":"in_progress"}}`) +
		event("response.output_item.added", `{"type":"response.output_item.added","sequence_number":2,"item":{"type":"message","content":[]}}`) +
		event("response.content_part.added", `{"type":"response.content_part.added","sequence_number":3,"part":{"type":"output_text","text":""}}`)
	firstText = event("response.output_text.delta", `{"type":"response.output_text.delta","sequence_number":4,"delta":"a"}`)
	completed = event("response.completed", `{"type":"response.completed","sequence_number":5,"response":{"id":"resp_1","status":"completed"}}`)
)

// said is what an upstream says, each after so long, before it says `then` every three
// seconds for ever.
type said struct {
	after time.Duration
	text  string
}

// saying is a script that never ends its stream.
func saying(all []said, then string, left chan<- time.Time) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(d time.Duration, text string) bool {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
				left <- time.Now()
				return false
			}
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
			return true
		}
		for _, s := range all {
			if !say(s.after, s.text) {
				return
			}
		}
		for say(3*time.Second, then) {
		}
	}
}

func TestWhatOnlyKeepsAStreamOpenDoesNotOnceItsAnswerIsWhole(t *testing.T) {
	answer := delta("a") + finish("stop")
	second := time.Second
	for name, tt := range map[string]struct {
		path string
		said []said
		then string
		ends time.Duration // after the request
	}{
		"comments":                         {"/v1/chat/completions", []said{{0, answer}}, ": ping\n\n", 10 * second},
		"comments without a blank line":    {"/v1/chat/completions", []said{{0, answer}}, ": ping\n", 10 * second},
		"empty objects":                    {"/v1/chat/completions", []said{{0, answer}}, "data: {}\n\n", 10 * second},
		"events without data":              {"/v1/chat/completions", []said{{0, answer}}, "data:\n\n", 10 * second},
		"chunks without choices":           {"/v1/chat/completions", []said{{0, answer}}, "data: {\"choices\":[]}\n\n", 10 * second},
		"chunks with an empty delta":       {"/v1/chat/completions", []said{{0, answer}}, roleEvent, 10 * second},
		"the same end again":               {"/v1/chat/completions", []said{{0, answer}}, finish("stop"), 10 * second},
		"the same usage again":             {"/v1/chat/completions", []said{{0, answer}, {second, usageEvent}}, usageEvent, 11 * second},
		"the end of a completion":          {"/v1/completions", []said{{0, "data: {\"choices\":[{\"text\":\"a\",\"index\":0,\"finish_reason\":\"length\"}]}\n\n"}}, ": ping\n\n", 10 * second},
		"a message's pings":                {"/v1/messages", []said{{0, messageStart + blockStart + blockDelta + messageDelta}}, event("ping", `{"type":"ping"}`), 10 * second},
		"a response's pings":               {"/v1/responses", []said{{0, opened + firstText + completed}}, event("ping", `{"type":"ping"}`), 10 * second},
		"usage comes late":                 {"/v1/chat/completions", []said{{0, answer}, {8 * second, usageEvent}}, ": ping\n\n", 18 * second},
		"usage, and then [DONE]":           {"/v1/chat/completions", []said{{0, answer}, {8 * second, usageEvent}, {8 * second, doneEvent}}, ": ping\n\n", 16*second + attempt.EndTime},
		"the stop comes late":              {"/v1/messages", []said{{0, messageStart + blockStart + blockDelta + messageDelta}, {9 * second, messageStop}}, ": ping\n\n", 9*second + attempt.EndTime},
		"content takes the end back":       {"/v1/chat/completions", []said{{0, answer}, {9 * second, delta("b")}, {time.Minute, finish("stop")}}, ": ping\n\n", 79 * second},
		"thoughts with an end, and a rest": {"/v1/chat/completions", []said{{0, roleEvent + thought("Hm", "stop")}, {40 * second, delta("a")}, {second, finish("stop")}}, ": ping\n\n", 51 * second},
		"an end before all, and a rest":    {"/v1/chat/completions", []said{{0, finish("stop")}, {time.Minute, delta("a")}, {second, finish("stop") + doneEvent}}, ": ping\n\n", 61*second + attempt.EndTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left := make(chan time.Time, 1)
				g := newBubble(t, saying(tt.said, tt.then, left))
				start := time.Now()
				_, body, err := g.stream(g.client, tt.path)
				took := time.Since(start)
				want := ""
				for _, s := range tt.said {
					want += s.text
				}
				rest, ok := strings.CutPrefix(body, want)
				if !ok || strings.ReplaceAll(rest, tt.then, "") != "" || err != nil || took != tt.ends {
					t.Errorf("got %q %v after %s, want a clean end after %s", body, err, took, tt.ends)
				}
				if at := (<-left).Sub(start); at > tt.ends+time.Second {
					t.Errorf("the upstream was left after %s", at)
				}
			})
		})
	}
}

func TestWhatBreaksOffBeforeItsContentIsAskedForAgain(t *testing.T) {
	failure := "data: {\"error\":{\"message\":\"The engine is overloaded\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"
	chat := delta("a") + finish("stop") + doneEvent
	message := messageStart + blockStart + blockDelta + messageDelta + messageStop
	response := opened + firstText + completed
	for name, tt := range map[string]struct{ path, opening, behind, good string }{
		"a role":                     {"/v1/chat/completions", roleEvent, "", chat},
		"a filter's chunk, a role":   {"/v1/chat/completions", filterEvent + roleEvent, "", chat},
		"roles of two choices":       {"/v1/chat/completions", roleEvent + strings.Replace(roleEvent, `"index":0`, `"index":1`, 1), "", chat},
		"an error behind a role":     {"/v1/chat/completions", roleEvent, failure, chat},
		"an error behind a filter's": {"/v1/chat/completions", filterEvent, failure + doneEvent, chat},
		"an abort behind a role":     {"/v1/chat/completions", roleEvent, finish("abort") + doneEvent, chat},
		"an abort alone":             {"/v1/chat/completions", "", finish("engine_failure") + doneEvent, chat},
		"a message's start":          {"/v1/messages", messageStart + event("ping", `{"type":"ping"}`) + blockStart, "", message},
		"a message stops badly":      {"/v1/messages", messageStart, strings.Replace(messageDelta, "end_turn", "aborted", 1), message},
		"a response's start":         {"/v1/responses", opened, "", response},
		"a response fails":           {"/v1/responses", opened, event("response.failed", `{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}`), response},
		"a response is done, badly":  {"/v1/responses", opened, event("response.done", `{"type":"response.done","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}`), response},
	} {
		for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
			t.Run(name+"/"+ending, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
						if call == 1 {
							streamOf(tt.opening+tt.behind, end)(w, r, call)
							return
						}
						streamOf(tt.good, clean)(w, r, call)
					})
					resp, body, err := g.stream(g.client, tt.path)
					if resp.StatusCode != 200 || body != tt.good || err != nil || g.calls.Load() != 2 {
						t.Errorf("got %d %q %v after %d calls", resp.StatusCode, body, err, g.calls.Load())
					}
				})
			})
		}
	}
}

// What was held for as long as may be is passed on, and cannot be asked for again.
func TestARoleThatWasPassedOnIsTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newConversation()
		g := newBubble(t, v.script)
		v.later(t, 0, roleEvent)
		time.AfterFunc(response.HoldStream+time.Second, func() { v.over <- broken })
		_, body, err := g.stream(g.client, "/v1/chat/completions")
		rest, ok := strings.CutPrefix(body, roleEvent)
		if !ok || err == nil || g.calls.Load() != 1 {
			t.Fatalf("got %q %v after %d calls", body, err, g.calls.Load())
		}
		toldInterrupted(t, streamPaths["chat"].dialect, rest)
	})
}

// An app that asks for the rest of a response does so by the number of the last event it
// has seen: the error event's must not be the next one's (openai/openai-python#2828).
func TestTheErrorOfACutResponseTakesNoEventsNumber(t *testing.T) {
	more := event("response.output_text.delta", `{"type":"response.output_text.delta","sequence_number":5,"delta":"b"}`)
	for name, cut := range map[string]int{"between events": 0, "inside the next": len(more) / 2, "behind its number": strings.Index(more, `,"delta":"`)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := opened + firstText + more[:cut]
				g := newBubble(t, streamOf(sent, broken))
				_, body, err := g.stream(g.client, "/v1/responses")
				if err == nil {
					t.Error("the stream ended as if all were well")
				}
				for _, part := range strings.Split(strings.TrimPrefix(body, opened+firstText), "\n") {
					data, ok := strings.CutPrefix(part, "data: ")
					if !ok {
						continue
					}
					var got struct {
						Number *int `json:"sequence_number"`
						Error  struct{ Code string }
					}
					if err := json.Unmarshal([]byte(data), &got); err != nil || got.Error.Code != "stream_interrupted" || got.Number == nil || *got.Number != 4 {
						t.Errorf("%v: %s", err, data)
					}
				}
			})
		})
	}
}

func TestNoDefaultCutsAnAnswerThatItsCallerWaitsFor(t *testing.T) {
	for header, waits := range map[string]bool{"X-Stainless-Read-Timeout": true, "X-Stainless-Timeout": true, "": false} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newConversation()
				g := newBubble(t, v.script)
				v.later(t, 0, opened)
				v.later(t, 6*time.Minute, firstText+completed)
				time.AfterFunc(6*time.Minute+time.Second, func() {
					select {
					case v.over <- clean:
					case <-t.Context().Done():
					}
				})
				req := g.request(http.MethodPost, "/v1/responses", streamBody)
				if header != "" {
					req.Header.Set(header, "1800")
				}
				resp, err := g.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if whole := string(body) == opened+firstText+completed && err == nil; whole != waits {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
	}
}

// What follows an error of the Responses API may be the response's own end, which some
// clients read instead. Without one the error is the end, and every client hears of it.
func TestAnErrorOfAResponseIsItsEndUnlessItsOwnEndFollows(t *testing.T) {
	const nested = `{"type":"error","sequence_number":5,"error":{"type":"server_error","code":"server_error","message":"m","param":null}}`
	const flat = `{"type":"error","sequence_number":5,"code":"server_error","message":"m","param":null}`
	failed := event("response.failed", `{"type":"response.failed","sequence_number":6,"response":{"status":"failed","error":{"code":"server_error","message":"m"}}}`)
	for name, tt := range map[string]struct {
		error, behind string
		clean, again  bool // a clean end, an event of Outrigger's own
	}{
		"nested":                         {nested, "", false, false},
		"nested, and its end":            {nested, failed, true, false},
		"nested, and [DONE]":             {nested, doneEvent, false, false},
		"nested, and half an event":      {nested, event("response.failed", `{"type":"response.failed","response":{}}`)[:50], false, false},
		"flat":                           {flat, "", false, true},
		"flat, and its end":              {flat, failed, true, false},
		"flat, and an end of all states": {flat, strings.Replace(failed, "response.failed", "response.done", 2), true, false},
		"flat, and [DONE]":               {flat, doneEvent, false, true},
		"flat, and half an event":        {flat, failed[:60], false, true},
	} {
		for ending, end := range map[string]func(){"clean": clean, "broken": broken} {
			t.Run(name+"/"+ending, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sent := opened + firstText + event("error", tt.error) + tt.behind
					g := newBubble(t, streamOf(sent, end))
					_, body, err := g.stream(g.client, "/v1/responses")
					rest, ok := strings.CutPrefix(body, sent)
					if !ok || (err == nil) != tt.clean || (rest != "") != tt.again {
						t.Fatalf("got %q %v", strings.TrimPrefix(body, sent), err)
					}
					if tt.again {
						toldAgain(t, streamPaths["responses"].dialect, rest)
					}
					synctest.Wait()
					if want := `outrigger_streams_ended_total{outcome="failed",upstream="openai"} 1`; !strings.Contains(g.metricsText(), want) {
						t.Errorf("the metrics lack %s", want)
					}
				})
			})
		}
	}
}

// An error that comes behind a whole answer is passed on, and nothing is missing for it.
func TestAnErrorBehindAWholeAnswerBreaksNothingOff(t *testing.T) {
	failure := "data: {\"error\":{\"message\":\"no usage\",\"type\":\"server_error\"}}\n\n"
	for name, tt := range map[string]struct{ path, sent string }{
		"chat":        {"/v1/chat/completions", delta("a") + finish("stop") + failure},
		"chat, done":  {"/v1/chat/completions", delta("a") + finish("stop") + failure + doneEvent},
		"a message":   {"/v1/messages", messageStart + blockStart + blockDelta + messageDelta + event("error", `{"type":"error","error":{"type":"api_error","message":"m"}}`)},
		"a response":  {"/v1/responses", opened + firstText + completed + event("error", `{"type":"error","error":{"message":"m"}}`)},
		"of nobody's": {"/v1/interactions", delta("a") + failure + delta("b")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, streamOf(tt.sent, clean))
				if _, body, err := g.stream(g.client, tt.path); body != tt.sent || err != nil {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
	}
}

// A call that is made apart from its caller gives it the same end.
func TestAKeyedStreamThatFailsHasNoCleanEnd(t *testing.T) {
	failure := "data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\"}}\n\n"
	for name, sent := range map[string]string{"an error": delta("a") + failure, "an abort": delta("a") + finish("abort")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, streamOf(sent+doneEvent, clean))
				resp, err := g.client.Do(g.keyed("k", "/v1/chat/completions", streamBody))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if !strings.HasPrefix(string(body), sent) || strings.Contains(string(body), "[DONE]") || err == nil {
					t.Errorf("got %q %v", body, err)
				}
			})
		})
	}
}
