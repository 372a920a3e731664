package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// What is planted in requests, answers and the configuration, to be found nowhere else.
// None of the keys looks like one of a known provider, but one does.
var planted = map[string]string{
	"the caller's key":         "sk-proj-PLANTEDcallerKey0001",
	"a key of no known form":   "PLANTEDopaqueKey0002",
	"an Azure key":             "0123456789abcdefPLANTED000300ff",
	"the client token":         "PLANTEDclientToken0004",
	"the upstream's key":       "PLANTEDupstreamKey0005",
	"an upstream header":       "PLANTEDheaderSecret0006",
	"an upstream parameter":    "PLANTEDqueryParameter0007",
	"a prompt":                 "PLANTED prompt 0008",
	"an answer":                "PLANTED answer 0009",
	"a query":                  "PLANTEDquery0010",
	"a cookie":                 "PLANTEDcookie0011",
	"a password in the target": "PLANTEDpassword0013",
}

func TestNoSecretPromptOrAnswerIsWrittenAnywhere(t *testing.T) {
	secret := func(name string) string { return planted[name] }
	answer := fmt.Sprintf(`{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":%q}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, secret("an answer"))
	events := delta(secret("an answer")) + delta("b")
	quoting := func(status int, code string) script {
		return func(w http.ResponseWriter, r *http.Request, n int) {
			// What an upstream was sent, quoted in every field of its error.
			sent := strings.Join([]string{
				r.Header.Get("Authorization"), r.Header.Get("Api-Key"), r.Header.Get("X-Api-Key"), r.Header.Get("X-Extra"),
			}, " and ")
			body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": "Incorrect API key provided: " + sent, "type": sent, "param": sent, "code": code}})
			answers(status, string(body))(w, r, n)
		}
	}
	tests := map[string]struct {
		upstream script
		edit     func(*settings.Config)
		request  func(*http.Request)
		twice    bool
	}{
		"a success":                  {upstream: answers(200, answer)},
		"a stream":                   {upstream: streamOf(events+doneEvent, clean)},
		"a stream that is cut":       {upstream: streamOf(events+`data: {"choices":[{"delta":{"content":"`+secret("an answer"), broken)},
		"a stream with an error":     {upstream: streamOf(events+`data: {"error":{"message":"`+secret("the caller's key")+` is dead","type":"x","code":"y"}}`+"\n\n", clean)},
		"a stream that is no stream": {upstream: streamOf("data: "+secret("an answer")+"\n\nnonsense", broken)},
		"an answer that is cut": {upstream: func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Content-Length", "9999")
			answers(200, answer)(w, r, n)
		}},
		"a quoted key":                {upstream: quoting(401, "invalid_api_key"), twice: true},
		"a quoted key, no known code": {upstream: quoting(400, "odd")},
		"somebody else's key":         {upstream: answers(401, `{"error":{"message":"Incorrect API key provided: sk-svcacct-PLANTEDother. Bearer PLANTEDbearer, and PLANTED***0001.","code":"x"}}`)},
		"a quoted key as the code":    {upstream: quoting(401, secret("an upstream header")), twice: true},
		"a quota refusal":             {upstream: quoting(429, "insufficient_quota"), twice: true},
		"a failure":                   {upstream: quoting(500, "server_error")},
		"a failure in another form":   {upstream: answers(500, `{"detail":"`+secret("an Azure key")+`"}`)},
		"an answer that is no HTTP":   {upstream: hijacked(func(write func(string) error, _ <-chan struct{}) { _ = write(secret("an answer") + "\r\n\r\n") })},
		"a header that is none": {upstream: hijacked(func(write func(string) error, _ <-chan struct{}) {
			_ = write("HTTP/1.1 200 OK\r\n" + secret("an answer") + "\r\n\r\n")
		})},
		"no answer": {upstream: hangUp},
		"a timeout": {upstream: silence, edit: func(c *settings.Config) {
			c.Timeouts.Attempt, c.Timeouts.Total, c.Retry.Max = 20*time.Millisecond, 100*time.Millisecond, 1
		}},
		"a redirect":       {upstream: answers(302, "", "Location", "https://"+secret("a password in the target")+"@x/?"+secret("a query"))},
		"no connection":    {upstream: fine, edit: func(c *settings.Config) { c.Upstreams[0].URL.Host = "127.0.0.1:1" }},
		"a wrong token":    {upstream: fine, request: func(r *http.Request) { r.Header.Set("X-Outrigger-Token", secret("a key of no known form")) }},
		"a full line":      {upstream: fine, edit: func(c *settings.Config) { c.Limit.TPM = 1 }},
		"a body too large": {upstream: fine, edit: func(c *settings.Config) { c.Bodies.BodyMax = 10 }},
		"no room":          {upstream: fine, edit: func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1, 0 }},
		"a drain":          {upstream: fine, edit: func(c *settings.Config) {}, request: nil},
	}
	for name, tt := range tests {
		for _, injected := range []bool{false, true} {
			for _, path := range []string{"/v1/chat/completions", "/v1/files"} {
				t.Run(fmt.Sprintf("%s%s/injected=%t", name, path, injected), func(t *testing.T) {
					g := newRig(t, tt.upstream, func(c *settings.Config) {
						c.Callers.Tokens = []values.Secret{values.NewSecret(secret("the client token"))}
						u := &c.Upstreams[0]
						u.Headers = []settings.Pair{{Name: "X-Extra", Value: secret("an upstream header")}}
						u.Query = []settings.Pair{{Name: "code", Value: secret("an upstream parameter")}}
						if injected {
							u.APIKey, u.AuthHeader = values.NewSecret(secret("the upstream's key")), "Api-Key"
						}
						if tt.edit != nil {
							tt.edit(c)
						}
					})
					if name == "a drain" {
						g.proxy.Drain()
					}
					for range 1 + map[bool]int{true: 1}[tt.twice] {
						r := g.request(http.MethodPost, path+"?key="+secret("a query"), fmt.Sprintf(`{"model":"m","stream":%t,"messages":[{"role":"user","content":%q}]}`,
							strings.Contains(name, "stream"), secret("a prompt")))
						for header, value := range map[string]string{
							"Authorization": "Bearer " + secret("the caller's key"), "Api-Key": secret("an Azure key"), "X-Api-Key": secret("a key of no known form"),
							"X-Outrigger-Token": secret("the client token"), "Cookie": secret("a cookie"),
						} {
							r.Header.Set(header, value)
						}
						if tt.request != nil {
							tt.request(r)
						}
						resp, err := g.client.Do(r)
						if err != nil {
							t.Fatal(err)
						}
						body, _ := io.ReadAll(resp.Body)
						resp.Body.Close()
						if resp.Header.Get("X-Outrigger-Source") == "local" {
							search(t, "an error's body", string(body))
							search(t, "an error's headers", fmt.Sprint(resp.Header))
						}
					}
					eventually(t, "the request's end", func() bool { return g.inflight() == 0 && strings.Contains(g.log.String(), `"msg":"request"`) })
					search(t, "the log", g.log.String())
					search(t, "the metrics", g.metricsText())
					status, err := json.Marshal(g.status())
					if err != nil {
						t.Fatal(err)
					}
					search(t, "the status", string(status))
					search(t, "the configuration, printed", fmt.Sprintf("%v %+v %#v", g.proxy.gen().Config.Upstreams, g.proxy.gen().Config.Callers, g.proxy.gen().Config.Upstreams))
				})
			}
		}
	}
}

// search reports what of the planted is found in text, in parts too.
func search(t *testing.T, where, text string) {
	t.Helper()
	for what, secret := range planted {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s: %.2000s", what, where, text)
			return
		}
	}
	if i := strings.Index(text, "PLANTED"); i >= 0 {
		t.Errorf("a part of something is in %s: %s", where, text[max(i-50, 0):min(i+50, len(text))])
	}
}

// metricsText is what a scrape gets.
func (g *rig) metricsText() string {
	g.t.Helper()
	g.settle()
	families, err := g.registry.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			g.t.Fatal(err)
		}
	}
	return text.String()
}
