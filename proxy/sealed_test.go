package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

// blob is what an upstream encrypted, with all letters of base64.
func blob(of string) string {
	return "gAAAAA" + of + strings.Repeat("aB3+/-_x", 300) + of + "=="
}

const reasoningItem = `{"type":"reasoning","id":"rs_%s","summary":[],"encrypted_content":"%s"}`

// thinker answers Responses calls with reasoning that it encrypted, unless it is ill.
type thinker struct {
	name  string
	ill   func(w http.ResponseWriter, r *http.Request)
	calls int
}

func (u *thinker) script(w http.ResponseWriter, r *http.Request, _ int) {
	body := readAll(r)
	u.calls++
	if u.ill != nil {
		u.ill(w, r)
		return
	}
	item := fmt.Sprintf(reasoningItem, u.name, blob(u.name))
	if strings.Contains(body, `"stream":true`) {
		sends(w, "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":1,\"item\":"+item+"}\n\n"+
			"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"resp_x\"}}\n\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"id":"resp_x","output":[`+item+`]}`)
}

func overloaded(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }

// turn is a call that sends content back.
func turn(content string) string {
	return `{"model":"m","store":false,"include":["reasoning.encrypted_content"],"input":[{"role":"user","content":"hi"},` +
		fmt.Sprintf(reasoningItem, "x", content) + `]}`
}

// thinkers are two upstreams of which the first failed when the first turn was made.
func thinkers(t *testing.T, first string) (*several, *thinker, *thinker) {
	t.Helper()
	a, b := &thinker{name: "first", ill: overloaded}, &thinker{name: "second"}
	s := newSeveral(t, func(c *settings.Config) {
		c.Failover = policy.Failover{policy.FailoverBreaker, policy.FailoverUnreachable, policy.FailoverOverloaded}
		c.Retry.Max, c.Breaker.Wait = 1, time.Second
	}, a.script, b.script)
	path, body, _ := strings.Cut(first, " ")
	if got := s.call("POST", path, body); got.Upstream != "second" || got.Status != 200 {
		t.Fatalf("the first turn: %+v", got)
	}
	a.ill = nil
	time.Sleep(time.Minute) // the first is well again
	return s, a, b
}

func TestEncryptedReasoningGoesWhereItWasMade(t *testing.T) {
	escaped := strings.NewReplacer("+", `\u002B`, "/", `\/`, "=", `\u003d`)
	for name, first := range map[string]string{
		"whole":     `/v1/responses {"model":"m","store":false,"input":"hi"}`,
		"streamed":  `/v1/responses {"model":"m","store":false,"stream":true,"input":"hi"}`,
		"kept too":  `/v1/responses {"model":"m","input":"hi"}`,
		"compacted": `/v1/responses/compact {"model":"m","input":"hi"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, _ := thinkers(t, first)
				for what, tt := range map[string]struct{ path, content, want string }{
					"as it was":        {"/v1/responses", blob("second"), "second"},
					"escaped":          {"/v1/responses", escaped.Replace(blob("second")), "second"},
					"to be compacted":  {"/v1/responses/compact", blob("second"), "second"},
					"to be counted":    {"/v1/responses/input_tokens", blob("second"), "second"},
					"by name":          {"/@openai/v1/responses", blob("second"), "openai"},
					"an unknown one":   {"/v1/responses", blob("third"), "openai"},
					"the beginning":    {"/v1/responses", blob("second")[:400], "openai"},
					"a short one":      {"/v1/responses", "second", "openai"},
					"the first's own":  {"/v1/responses", blob("first"), "openai"},
					"as a text":        {"/v1/responses", `\"}],\"x\":{\"encrypted_content\":\"` + blob("second"), "openai"},
					"an empty content": {"/v1/responses", "", "openai"},
				} {
					if got := s.call("POST", tt.path, turn(tt.content)); got.Upstream != tt.want || got.Status != 200 {
						t.Errorf("%s: %+v, want %s", what, got, tt.want)
					}
				}
				if !strings.Contains(s.log.String(), `"sticky":true`) {
					t.Error("the log does not say that a request had to go where it went")
				}
			})
		})
	}
}

func TestEncryptedContentThatAnyUpstreamReadsBindsNothing(t *testing.T) {
	for name, tt := range map[string]struct{ path, answer, body string }{
		"a search result of Anthropic's":  {"/v1/messages", `{"content":[{"type":"web_search_tool_result","encrypted_content":"` + blob("b") + `"}]}`, `{"messages":[{"content":[{"encrypted_content":"` + blob("b") + `"}]}]}`},
		"a signature of Anthropic's":      {"/v1/messages", `{"content":[{"type":"thinking","signature":"` + blob("b") + `"}]}`, `{"messages":[{"content":[{"signature":"` + blob("b") + `"}]}]}`},
		"thinking that Anthropic redacts": {"/v1/messages", `{"content":[{"type":"redacted_thinking","data":"` + blob("b") + `"}]}`, `{"messages":[{"content":[{"data":"` + blob("b") + `"}]}]}`},
		"what the caller sent":            {"/v1/responses", `{"id":"resp_x","output":[]}`, turn(blob("b"))},
		"what the user noted":             {"/v1/responses", `{"id":"resp_x","metadata":{"encrypted_content":"` + blob("b") + `"}}`, turn(blob("b"))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := func(w http.ResponseWriter, r *http.Request, _ int) {
					_ = readAll(r)
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, tt.answer)
				}
				s := newSeveral(t, nil, answer, answer)
				s.call("POST", "/@second"+tt.path, strings.Replace(tt.body, "}", `,"store":false}`, 1))
				if got := s.call("POST", tt.path, tt.body); got.Upstream != "openai" {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

func TestEncryptedReasoningWhoseMakerIsDownIsToldHonestly(t *testing.T) {
	for name, tt := range map[string]struct {
		fail func(s *several, b *thinker)
		code string
	}{
		"unreachable": {func(s *several, _ *thinker) { _ = s.wires[1].Close() }, "upstream_unreachable"},
		"its breaker is open": {func(s *several, _ *thinker) {
			for range 60 {
				s.proxy.gen().Upstreams[1].Gate.Fail()
			}
			_ = s.wires[1].Close()
		}, "upstream_unreachable"},
		"silent": {func(_ *several, b *thinker) {
			b.ill = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		}, "upstream_timeout"},
		"broken": {func(_ *several, b *thinker) {
			b.ill = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, "upstream_broke"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, a, b := thinkers(t, `/v1/responses {"model":"m","store":false,"input":"hi"}`)
				before := a.calls
				tt.fail(s, b)
				r := s.request("POST", "/v1/responses", turn(blob("second")))
				r.Header.Set("X-Stainless-Timeout", "60")
				resp, body := s.do(r)
				code := errorCode(t, body)
				if resp.StatusCode < 500 || code != tt.code && code != "circuit_open" || a.calls != before {
					t.Errorf("%d %s, the first was asked %d times", resp.StatusCode, body, a.calls-before)
				}
				for _, say := range []string{`encrypted_content that upstream \"second\" made`, "send the request without those items"} {
					if !strings.Contains(body, say) {
						t.Errorf("%q is not in %s", say, body)
					}
				}
				if got := s.call("POST", "/v1/responses", turn("")); got.Upstream != "openai" || got.Status != 200 {
					t.Errorf("without those items: %+v", got)
				}
			})
		})
	}
}

// An answer of that upstream's own passes unchanged. The log says why no other was asked.
func TestEncryptedReasoningWhoseMakerRefusesIsLogged(t *testing.T) {
	const refusal = `{"error":{"message":"overloaded","type":"server_error","param":null,"code":"overloaded"}}`
	for _, streamed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, a, b := thinkers(t, `/v1/responses {"model":"m","store":false,"input":"hi"}`)
			before := a.calls
			b.ill = func(w http.ResponseWriter, r *http.Request) { answers(503, refusal)(w, r, 0) }
			body := turn(blob("second"))
			if streamed {
				body = strings.Replace(body, "{", `{"stream":true,`, 1)
			}
			resp, got := s.do(s.request("POST", "/v1/responses", body))
			if resp.StatusCode != 503 || got != refusal || a.calls != before {
				t.Errorf("%d %s, the first was asked %d times", resp.StatusCode, got, a.calls-before)
			}
			if log := s.log.String(); !strings.Contains(log, `"sticky":true,"sticky_for":"encrypted_content that no other upstream can read"`) {
				t.Errorf("the log does not say why: %s", log)
			}
		})
	}
}

// What goes where its objects live goes there for another reason.
func TestAnObjectsHomeIsNotLoggedAsSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := thinkers(t, `/v1/responses {"model":"m","input":"hi"}`)
		if got := s.call("POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_x","input":"go on"}`); got.Upstream != "second" {
			t.Errorf("%+v", got)
		}
		if log := s.log.String(); !strings.Contains(log, `"sticky":true`) || strings.Contains(log, "sticky_for") {
			t.Errorf("the log: %s", log)
		}
	})
}
