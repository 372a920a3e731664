package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// A key that was configured for one path of a host goes nowhere else there.
func TestNoPathLeavesTheUpstreamsOwn(t *testing.T) {
	for _, path := range []string{
		"/v1/../admin", "/v1/%2e%2e/%2e%2e/admin", "/v1/..;/admin", "/v1/..%5c..%5cadmin", `/v1/..\admin`, "/v1/%252e%252e/admin",
		"/@openai/../admin", "/@openai/v1/%2e%2e/admin", "/v1/files/a%2f..%2f..%2fadmin", "/v1/v1/../admin",
	} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, fine, func(c *settings.Config) {
					c.Upstreams[0].URL.Path = "/team-a"
					c.Upstreams[0].APIKey = values.NewSecret("sk-configured-0123456789")
				})
				resp, body := g.raw("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
				if resp.StatusCode != 400 || !strings.Contains(body, `"bad_request"`) || g.calls.Load() != 0 {
					t.Errorf("got %d after %d calls: %s", resp.StatusCode, g.calls.Load(), body)
				}
			})
		})
	}
}

func TestDotsThatDoNotLeadUpPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			got = append(got, r.RequestURI)
			fine(w, r, n)
		})
		want := []string{"/v1/files/a..b", "/v1/models/org%2Fv1..2", "/v1/files/.../content", "/v1/files?after=../x"}
		for _, path := range want {
			g.do(g.request(http.MethodGet, path, ""))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("arrived: %q", got)
		}
	})
}

// The upstream's answer to such a request would show the caller the configured key.
func TestARequestThatIsToBeEchoedIsRefused(t *testing.T) {
	for _, method := range []string{"TRACE", "trace", "TRACK"} {
		synctest.Test(t, func(t *testing.T) {
			g := newBubble(t, fine)
			resp, _ := g.raw(method + " /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			if resp.StatusCode != 405 || resp.Header.Get("Allow") == "" || g.calls.Load() != 0 {
				t.Errorf("%s: got %d, Allow %q after %d calls", method, resp.StatusCode, resp.Header.Get("Allow"), g.calls.Load())
			}
		})
	}
}
