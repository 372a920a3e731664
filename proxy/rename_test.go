package proxy

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/proxy/settings"
)

// renames sets what the upstream calls models.
func renames(list ...settings.Model) func(*settings.Config) {
	return func(c *settings.Config) { c.Upstreams[0].Models = list }
}

func TestTheModelIsRenamedInTheBodyAndNothingElseIs(t *testing.T) {
	const form = "multipart/form-data; boundary=B"
	long := strings.Repeat("x", 300<<10)
	part := func(name, value string) string {
		return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	tests := map[string]struct{ kind, body, want string }{
		"JSON":              {"application/json", `{"model":"gpt-4o","messages":[{"content":"model gpt-4o"}]}`, `{"model":"own \"4o\"","messages":[{"content":"model gpt-4o"}]}`},
		"white space stays": {"application/json", "{ \"stream\" : true ,\n\t\"model\" : \"gpt-4o\" }\n", "{ \"stream\" : true ,\n\t\"model\" : \"own \\\"4o\\\"\" }\n"},
		"an escaped name":   {"application/json", `{"model":"gpt\u002d4o"}`, `{"model":"own \"4o\""}`},
		"the last of two":   {"application/json", `{"model":"a","model":"gpt-4o"}`, `{"model":"a","model":"own \"4o\""}`},
		"another model":     {"application/json", `{"model":"gpt-3"}`, `{"model":"any"}`},
		"a slash as PHP has it": {
			"application/json", `{"model":"openai\/gpt-4o","n":1}`, `{"model":"shorter","n":1}`,
		},
		"the upstream's own name": {"application/json", `{"model":"any"}`, `{"model":"any"}`},
		"a longer name than is kept": {
			"application/json", `{"model":"` + long + `","n":1}`, `{"model":"any","n":1}`,
		},
		"no model":                {"application/json", `{"input":"gpt-4o"}`, `{"input":"gpt-4o"}`},
		"an empty model":          {"application/json", `{"model":""}`, `{"model":""}`},
		"a model that is no text": {"application/json", `{"model":7}`, `{"model":7}`},
		"a model further below":   {"application/json", `{"x":{"model":"gpt-4o"}}`, `{"x":{"model":"gpt-4o"}}`},
		"broken JSON":             {"application/json", `{"model":"gpt-4o`, `{"model":"gpt-4o`},
		"a body on disk":          {"application/json", `{"messages":"` + long + `","model":"gpt-4o"}`, `{"messages":"` + long + `","model":"own \"4o\""}`},
		"a name before the part on disk": {
			"application/json", `{"model":"gpt-4o","messages":"` + long + `"}`, `{"model":"own \"4o\"","messages":"` + long + `"}`,
		},
		"a form": {
			form, part("model", "gpt-4o") + part("prompt", "gpt-4o") + "--B--\r\n", part("model", `own "4o"`) + part("prompt", "gpt-4o") + "--B--\r\n",
		},
		"a form on disk": {
			form, part("file", long) + part("model", "gpt-4o") + "--B--\r\n", part("file", long) + part("model", `own "4o"`) + "--B--\r\n",
		},
	}
	g, got := catching(t, func(c *settings.Config) { c.Bodies.BodyMemory = 64 << 10 },
		renames(settings.Model{Requested: "gpt-4o", Sent: `own "4o"`}, settings.Model{Requested: "openai/gpt-4o", Sent: "shorter"}, settings.Model{Requested: "*", Sent: "any"}))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := g.request(http.MethodPost, "/v1/chat/completions", tt.body)
			r.Header.Set("Content-Type", tt.kind)
			if resp, body := g.do(r); resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			a := <-got
			if a.body != tt.want {
				t.Errorf("arrived as %.200q, want %.200q", a.body, tt.want)
			}
			if a.chunked || a.header.Get("Content-Length") != strconv.Itoa(len(tt.want)) {
				t.Errorf("Content-Length %q, want %d", a.header.Get("Content-Length"), len(tt.want))
			}
		})
	}
}

func TestARetryCarriesTheNewNameToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			bodies = append(bodies, readAll(r))
			if call == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, "{}")
		}, renames(settings.Model{Requested: "gpt-4o-mini", Sent: "mini"}))
		g.chat()
		want := strings.Replace(chatBody, "gpt-4o-mini", "mini", 1)
		if len(bodies) != 2 || bodies[0] != want || bodies[1] != want {
			t.Errorf("sent %q, want twice %q", bodies, want)
		}
		synctest.Wait() // for the log
		if log := g.log.String(); !strings.Contains(log, `"model":"gpt-4o-mini","sent_model":"mini"`) {
			t.Errorf("the log does not tell both names: %s", log)
		}
	})
}

func TestTheModelOfAWebSocketIsRenamedInTheQuery(t *testing.T) {
	g, got := catching(t, renames(settings.Model{Requested: "gpt-realtime", Sent: "own & only"}))
	for target, want := range map[string]string{
		"/v1/realtime?model=gpt-realtime":                        "/v1/realtime?model=own+%26+only",
		"/v1/realtime?a=%zz;&model=gpt-realtime&b":               "/v1/realtime?a=%zz;&model=own+%26+only&b",
		"/openai/realtime?api-version=1&deployment=gpt-realtime": "/openai/realtime?api-version=1&deployment=own+%26+only",
		"/v1/realtime?model=another":                             "/v1/realtime?model=another",
		"/v1/realtime?models=gpt-realtime&mode=model":            "/v1/realtime?models=gpt-realtime&mode=model",
	} {
		g.raw("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		if a := <-got; a.target != want {
			t.Errorf("%q arrived as %q, want %q", target, a.target, want)
		}
	}
	g.raw("GET /v1/models?model=gpt-realtime HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if a := <-got; a.target != "/v1/models?model=gpt-realtime" {
		t.Errorf("a plain request arrived as %q", a.target)
	}
}

// The line is that of the model as the upstream knows it: its limits are.
func TestModelsThatAreOneUpstreamShareItsLimits(t *testing.T) {
	g, _ := catching(t, renames(settings.Model{Requested: "*", Sent: "mini"}))
	for _, model := range []string{"gpt-4o", "gpt-4o-mini"} {
		g.do(g.request(http.MethodPost, "/v1/chat/completions", `{"model":"`+model+`"}`))
	}
	limits := g.status().Upstreams[0].Limits
	if len(limits) != 1 || limits[0].Model != "mini" {
		t.Errorf("limiters %+v, want one, for mini", limits)
	}
}
