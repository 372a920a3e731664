package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

func TestAPageOfAnAllowedOriginMayCall(t *testing.T) {
	const app = "Origin: https://app.example"
	g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == "/v1/says" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		if r.URL.Path == "/v1/fails" {
			w.WriteHeader(http.StatusBadRequest)
		}
		good(w, r, n)
	}, func(c *settings.Config) {
		c.Callers.Origins, c.Callers.Tokens, c.Limit.Learn = []string{"https://app.example"}, []values.Secret{values.NewSecret("t")}, false
	})
	asks := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type,x-outrigger-token"}
	tests := map[string]struct {
		method, path string
		headers      []string
		status       int
		calls        int64
		origin       string // that may read the answer
		more         http.Header
	}{
		"a preflight": {"OPTIONS", "/v1/x", append(asks, app), 204, 0, "https://app.example", http.Header{
			"Access-Control-Allow-Methods": {"POST"}, "Access-Control-Allow-Headers": {"authorization,content-type,x-outrigger-token"},
			"Access-Control-Max-Age": {"600"}, "Access-Control-Allow-Private-Network": nil, "Vary": {"Origin"},
		}},
		"a preflight from the internet": {"OPTIONS", "/v1/x", append(asks, app, "Access-Control-Request-Private-Network: true"), 204, 0, "https://app.example", http.Header{
			"Access-Control-Allow-Private-Network": {"true"},
		}},
		"a preflight of another page":  {"OPTIONS", "/v1/x", append(asks, "Origin: https://evil.example"), 403, 0, "", nil},
		"OPTIONS that is no preflight": {"OPTIONS", "/v1/x", []string{app, "X-Outrigger-Token: t"}, 200, 1, "https://app.example", nil},
		"a call":                       {"POST", "/v1/x", []string{app, "X-Outrigger-Token: t"}, 200, 1, "https://app.example", http.Header{"Access-Control-Expose-Headers": {"*"}, "Vary": {"Origin"}}},
		"a call without a token":       {"POST", "/v1/x", []string{app}, 401, 0, "https://app.example", nil},
		"a call that fails":            {"POST", "/v1/fails", []string{app, "X-Outrigger-Token: t"}, 400, 1, "https://app.example", nil},
		"an upstream that says who":    {"POST", "/v1/says", []string{app, "X-Outrigger-Token: t"}, 200, 1, "*", http.Header{"Access-Control-Expose-Headers": nil, "Vary": nil}},
		"no page":                      {"POST", "/v1/x", []string{"X-Outrigger-Token: t"}, 200, 1, "", http.Header{"Access-Control-Expose-Headers": nil, "Vary": nil}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := g.calls.Load()
			resp, body := g.do(with(g.request(tt.method, tt.path, ""), tt.headers...))
			if resp.StatusCode != tt.status || g.calls.Load()-before != tt.calls || resp.Header.Get("Access-Control-Allow-Origin") != tt.origin {
				t.Errorf("got %d %s after %d calls, with %v", resp.StatusCode, body, g.calls.Load()-before, resp.Header)
			}
			for name, want := range tt.more {
				if got := resp.Header[name]; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are let in")
			}
		})
	}
	eventually(t, "the log", func() bool { return strings.Contains(g.log.String(), `"method":"OPTIONS"`) })
	if text := g.metricsText(); !strings.Contains(text, `code="204",endpoint="none",outcome="completed"`) {
		t.Error("the preflights were not counted as completed")
	}
}
