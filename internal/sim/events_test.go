package sim

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"outrigger/internal/sim/fault"
)

func TestAStreamIsCut(t *testing.T) {
	tests := map[string]struct {
		kind fault.Kind
		want error // that the client reads after the events
	}{
		"by a reset":     {fault.KindCutReset, syscall.ECONNRESET},
		"by a close":     {fault.KindCutClose, io.ErrUnexpectedEOF},
		"as if it ended": {fault.KindCutClean, nil},
	}
	for name, test := range tests {
		for _, events := range []int{0, 2} {
			t.Run(name+" after "+strconv.Itoa(events), func(t *testing.T) {
				s, url := faulty(t, fault.Rule{Kind: test.kind, Events: events})
				got, err := post(t, client(t, &http.Transport{}), url+"/v1/chat/completions", streamBody)
				if !errors.Is(err, test.want) {
					t.Errorf("the stream ended with %v, want %v", err, test.want)
				}
				if got.status != 200 || strings.Count(got.body, "data: ") != events || strings.Contains(got.body, "[DONE]") {
					t.Errorf("%d %q", got.status, got.body)
				}
				if e := last(t, s); !e.Work || !e.Stream || e.Status != 200 || e.Fault != string(test.kind) {
					t.Errorf("ledger: %+v", e)
				}
			})
		}
	}
}

func TestAnErrorInsideAStreamSpeaksItsLanguage(t *testing.T) {
	responses := `{"model":"m","input":"x","stream":true}`
	messages := `{"model":"m","messages":[],"max_tokens":9,"stream":true}`
	broken := `"The server had an error processing your request. Sorry about that! You can retry your request, or contact us ` +
		`through our help center at help.openai.com if you keep seeing this error."`
	tests := map[string]struct {
		path, body string
		rule       fault.Rule
		want       string // after the events that precede it
	}{
		"chat": {
			"/v1/chat/completions", streamBody,
			fault.Rule{Events: 2},
			`data: {"error":{"message":` + broken + `,"type":"server_error","param":null,"code":null}}` + "\n\ndata: [DONE]\n\n",
		},
		"chat at once, with a code": {
			"/v1/chat/completions", streamBody,
			fault.Rule{Code: "c", Type: "t", Message: "m"},
			`data: {"error":{"message":"m","type":"t","param":null,"code":"c"}}` + "\n\ndata: [DONE]\n\n",
		},
		"responses": {
			"/v1/responses", responses,
			fault.Rule{Events: 4, Code: "c", Message: "m"},
			"event: error\n" + `data: {"type":"error","error":{"message":"m","type":"server_error","param":null,"code":"c"},"sequence_number":4}` + "\n\n",
		},
		"responses, flat": {
			"/v1/responses", responses,
			fault.Rule{Events: 2, Shape: fault.ShapeFlat, Code: "c", Message: "m"},
			"event: error\n" + `data: {"type":"error","code":"c","message":"m","param":null,"sequence_number":2}` + "\n\n",
		},
		"responses, failed": {
			"/v1/responses", responses,
			fault.Rule{Events: 2, Shape: fault.ShapeFailed, Code: "rate_limit_exceeded", Message: "m"},
			"event: response.failed\n" + `data: {"type":"response.failed","sequence_number":2,"response":{"id":"resp_failed","object":"response",` +
				`"status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"m"}}}` + "\n\n",
		},
		"messages": {
			"/v1/messages", messages,
			fault.Rule{Events: 1},
			"event: error\n" + `data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}` + "\n\n",
		},
		"a row of a stream, as it is": {
			"/v1/messages", messages,
			fault.Rule{Row: "anthropic/stream_overloaded"},
			"event: error\n" + `data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}` + "\n\n",
		},
		"a whole answer as an event": {
			"/v1/chat/completions", streamBody,
			fault.Rule{Row: "openai/503_server_is_overloaded"},
			`data: {"error":{"type":"service_unavailable_error","code":"server_is_overloaded","message":"Our servers are currently overloaded. ` +
				`Please try again later.","param":null}}` + "\n\n",
		},
		"an HTML page as an event": {
			"/v1/chat/completions", streamBody, fault.Rule{Row: "cloudflare/520_text"}, "data: error code: 520\n\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.rule.Kind = fault.KindErrorEvent
			s := New(Config{Faults: []fault.Rule{test.rule}})
			defer s.Close()
			got := ask(s, "POST", test.path, test.body)
			at := 0
			for range test.rule.Events {
				at += strings.Index(got.body[at:], "\n\n") + 2
			}
			if got.status != 200 || got.body[at:] != test.want {
				t.Errorf("%d\n got %s\nwant %s", got.status, got.body[at:], test.want)
			}
		})
	}
}

func TestARowOfAStreamComesAfterTheEventsAndMayBeHarmless(t *testing.T) {
	s := New(Config{Faults: []fault.Rule{
		{Kind: fault.KindRow, Row: "openrouter/stream_comment", First: 1},
		{Kind: fault.KindRow, Row: "openrouter/stream_mid_error", Events: 3},
	}})
	defer s.Close()
	harmless := ask(s, "POST", "/v1/chat/completions", streamBody).body
	if !strings.HasPrefix(harmless, ": OPENROUTER PROCESSING\n\ndata: {") || !strings.HasSuffix(harmless, "data: [DONE]\n\n") {
		t.Errorf("got %q", harmless)
	}
	failed := ask(s, "POST", "/v1/chat/completions", streamBody).body
	if strings.Count(failed, "data: ") != 4 || !strings.HasSuffix(failed, `"finish_reason":"error"}]}`+"\n\n") {
		t.Errorf("got %q", failed)
	}
	if got := ask(s, "POST", "/v1/chat/completions", chatBody); got.status != 200 || strings.Contains(got.body, "OPENROUTER") {
		t.Errorf("not a stream: %d %s", got.status, got.body)
	}
}
