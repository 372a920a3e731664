package proxy

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// A caller's name is wherever somebody looks for who it was, and never at an upstream.
func TestCallerName_IsInEachRecord(t *testing.T) {
	for name, tt := range map[string]struct {
		header        bool // asked for
		token, called string
		want          string
	}{
		"a token's":                             {false, "secret-of-web", "", "web"},
		"a token's, the header is not asked":    {false, "secret-of-web", "checkout", "web"},
		"a token's and its own":                 {true, "secret-of-web", "checkout", "web/checkout"},
		"its own":                               {true, "secret-of-nobody", "checkout", "checkout"},
		"a token's that it does not have":       {true, "secret-of-nobody", "web", "other"},
		"none":                                  {true, "secret-of-nobody", "", ""},
		"none, though it has the header for it": {false, "secret-of-nobody", "checkout", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got http.Header
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					got = r.Header.Clone()
					_, _ = io.WriteString(w, `{"object":"chat.completion","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}`)
				}, func(c *settings.Config) {
					c.Callers.Tokens, c.Callers.Header = []values.Secret{values.NewSecret("web:secret-of-web"), values.NewSecret("secret-of-nobody")}, tt.header
				})
				ended := g.traces()
				g.drop(with(g.plain(), "X-Outrigger-Token: "+tt.token, "X-Outrigger-Caller: "+tt.called))
				synctest.Wait()
				if got["X-Outrigger-Caller"] != nil || got["X-Outrigger-Token"] != nil {
					t.Errorf("the upstream got %v", got)
				}
				line := lastRequest(t, g)
				if label, _ := line["caller"].(string); tt.want != "" && label != tt.want || strings.Contains(label, "checkout") != strings.Contains(tt.want, "checkout") {
					t.Errorf("in the log it is %q, want %q", label, tt.want)
				}
				if label := g.proxy.Recent().After(0)[0].Caller; label != line["caller"] && label != "" {
					t.Errorf("in the last requests it is %q, in the log %q", label, line["caller"])
				}
				inTrace := spanText(ended()[0], g.proxy.Recent().After(0)[0].Start)
				if strings.Contains(inTrace, "outrigger.caller=") != (tt.want != "") || tt.want != "" && !strings.Contains(inTrace, "\n  outrigger.caller="+tt.want+"\n") {
					t.Errorf("the trace has %s, want %q", inTrace, tt.want)
				}
				var want []string
				if tt.want != "" {
					want = []string{
						`outrigger_caller_requests_total{caller="` + tt.want + `",outcome="completed"} 1`,
						`outrigger_caller_tokens_total{caller="` + tt.want + `",kind="input"} 3`,
						`outrigger_caller_tokens_total{caller="` + tt.want + `",kind="output"} 5`,
					}
				}
				var counted []string
				for line := range strings.Lines(g.metricsText()) {
					if strings.HasPrefix(line, "outrigger_caller_") {
						counted = append(counted, strings.TrimSpace(line))
					}
				}
				if !slices.Equal(counted, want) {
					t.Errorf("counted %v, want %v", counted, want)
				}
			})
		})
	}
}

// A reload does not give away the names that are in metrics once more.
func TestCallerName_ReloadsDoNotMultiplyThem(t *testing.T) {
	g := newRig(t, fine, func(c *settings.Config) { c.Callers.Header = true })
	for range 3 {
		for i := range 60 {
			g.drop(with(g.plain(), "X-Outrigger-Caller: "+strings.Repeat("a", 1+i)))
		}
		g.reload(func(c *settings.Config) { c.Callers.Header = false })
		g.drop(with(g.plain(), "X-Outrigger-Caller: nobody-asks"))
		g.reload(func(c *settings.Config) { c.Callers.Header = true })
		for i := range 60 {
			g.drop(with(g.plain(), "X-Outrigger-Caller: "+strings.Repeat("b", 1+i)))
		}
	}
	g.settle()
	if n := strings.Count(g.metricsText(), "outrigger_caller_requests_total{"); n != 51 {
		t.Errorf("%d series, want 50 names and other", n)
	}
	if strings.Contains(g.metricsText(), "nobody-asks") {
		t.Error("a name is counted that nobody asked for")
	}
}
