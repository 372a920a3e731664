package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/proxy/settings"
)

func TestAVersionThatStandsTwiceIsTakenOut(t *testing.T) {
	for target, want := range map[string]string{
		"/v1/v1/chat/completions":         "/v1/chat/completions",
		"/v1/v1/v1/models?a=/v1/v1/":      "/v1/models?a=/v1/v1/",
		"/@openai/v1/v1/chat/completions": "/v1/chat/completions",
		"/v1/v1/files/a%2Fb":              "/v1/files/a%2Fb",
		// What only looks like it.
		"/v1/v1":                     "/v1/v1",
		"/v1/v1beta/models":          "/v1/v1beta/models",
		"/v1/v2/rerank":              "/v1/v2/rerank",
		"/v1//v1/models":             "/v1//v1/models",
		"/v1/%76%31/models":          "/v1/%76%31/models",
		"/v1/models/v1/v1/x":         "/v1/models/v1/v1/x",
		"/api/v1/v1/chat":            "/api/v1/v1/chat",
		"/v1/models/deepseek/v1/v1/": "/v1/models/deepseek/v1/v1/",
	} {
		t.Run(target, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got string
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					got = r.RequestURI
					fine(w, r, n)
				})
				g.do(g.request(http.MethodGet, target, ""))
				if got != want {
					t.Errorf("arrived as %q, want %q", got, want)
				}
				bare, _, _ := strings.Cut(target, "?")
				plain := strings.TrimPrefix(bare, "/@openai")
				wantPath, _, _ := strings.Cut(want, "?")
				if told := strings.Contains(g.log.String(), `"repaired":"/v1/v1`); told != (plain != wantPath) {
					t.Errorf("the log tells of a repair: %t", told)
				}
			})
		})
	}
}

// The upstream of a doubled base is asked as of any: here with /v1 in its own URL.
func TestACallUnderADoubledBaseIsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, firstly(1, apiError(500), fine), func(c *settings.Config) { c.Upstreams[0].URL.Path = "/v1" })
		if resp, body := g.do(g.request("POST", "/v1/v1/chat/completions", chatBody)); resp.StatusCode != 200 || g.calls.Load() != 2 {
			t.Errorf("got %d after %d calls: %s", resp.StatusCode, g.calls.Load(), body)
		}
	})
}

func TestTheLogNamesAnUpstreamsDoubledBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, apiError(404), func(c *settings.Config) { c.Upstreams[0].URL.Path = "/v1/v1" })
		g.chat()
		if log := g.log.String(); !strings.Contains(log, `"hint":"the upstream's URL has /v1 twice`) {
			t.Errorf("no hint: %s", log)
		}
	})
}

func TestTheLogSaysWhatIsWrongWithAPathThatIsNotFound(t *testing.T) {
	const empty, twice = "the path has an empty segment", "the path names the endpoint twice"
	for path, want := range map[string]string{
		"/v1//chat/completions":                 empty,
		"//v1/chat/completions":                 empty,
		"/v1/chat//completions/":                empty,
		"/v1/chat/completions/chat/completions": twice,
		"/v1/responses/responses":               twice,
		"/v1/chat/completions":                  "",
		"/v1/chat/completions/":                 "",
		"/v1/x?a=//":                            "",
	} {
		for _, status := range []int{404, 405, 400} {
			synctest.Test(t, func(t *testing.T) {
				var got string
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					got = r.RequestURI
					apiError(status)(w, r, n)
				})
				resp, _ := g.do(g.request("POST", path, chatBody))
				if resp.StatusCode != status || got != path {
					t.Errorf("%s arrived as %s, and got %d", path, got, resp.StatusCode)
				}
				log := g.log.String()
				switch told := strings.Contains(log, `"hint":"`); {
				case told != (want != "" && status != 400), told && !strings.Contains(log, want):
					t.Errorf("%s, %d: hint %t: %s", path, status, told, log)
				}
			})
		}
	}
}
