package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"outrigger/proxy/settings"
)

// redirects answers paths that end in a key with status and the Location; all others are fine.
func redirects(status int, to map[string]string) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if location, ok := to[r.URL.RequestURI()]; ok {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Location", location)
			w.WriteHeader(status)
			return
		}
		fine(w, r, n)
	}
}

func TestARedirectWithinTheUpstreamIsFollowed(t *testing.T) {
	const chat, files = "/v1/chat/completions", "/v1/files"
	slash := map[string]string{chat: chat + "/", files: "http://upstream.test/v1/files/", "/v1/models": "/v1/models/"}
	chain := map[string]string{}
	for i := range 9 {
		chain[fmt.Sprintf("/v1/c%d", i)] = fmt.Sprintf("/v1/c%d", i+1)
	}
	for name, tt := range map[string]struct {
		status       int
		to           map[string]string
		method, path string
		want         string // status, calls, Location
	}{
		"307 of a chat":               {307, slash, "POST", chat, "200 2 "},
		"308 of a chat":               {308, slash, "POST", chat, "200 2 "},
		"of a create, absolute":       {307, slash, "POST", files, "200 2 "},
		"of a create, 308":            {308, slash, "POST", files, "200 2 "},
		"of a list":                   {307, slash, "GET", "/v1/models", "200 2 "},
		"301 of a list":               {301, slash, "GET", "/v1/models", "200 2 "},
		"302 of a list":               {302, slash, "GET", "/v1/models", "200 2 "},
		"303 of a list":               {303, slash, "GET", "/v1/models", "200 2 "},
		"of a DELETE":                 {308, map[string]string{"/v1/files/f": "/v1/files/f/"}, "DELETE", "/v1/files/f", "200 2 "},
		"with a query":                {307, map[string]string{chat + "?a=1": chat + "/?a=1"}, "POST", chat + "?a=1", "200 2 "},
		"with the port said":          {307, map[string]string{chat: "http://UPSTREAM.test:80/v1/chat/completions/"}, "POST", chat, "200 2 "},
		"without the host's name":     {307, map[string]string{chat: "//upstream.test/v1/chat/completions/"}, "POST", chat, "200 2 "},
		"two in a row":                {307, map[string]string{"/v1/c7": "/v1/c8", "/v1/c8": "c9"}, "POST", "/v1/c7", "200 3 "},
		"a chain":                     {307, chain, "POST", "/v1/c0", "307 6 /v1/c6"},
		"a loop":                      {307, map[string]string{"/v1/a": "/v1/b", "/v1/b": "/v1/a"}, "POST", "/v1/a", "307 2 /v1/a"},
		"to itself":                   {308, map[string]string{"/v1/a": ""}, "POST", "/v1/a", "308 1 /v1/a"},
		"302 of a chat: as GET":       {302, map[string]string{chat: "http://upstream.test/v1/x?b=2"}, "POST", chat, "302 1 /v1/x?b=2"},
		"301 of a chat":               {301, slash, "POST", chat, "301 1 /v1/chat/completions/"},
		"303 of a chat":               {303, slash, "POST", chat, "303 1 /v1/chat/completions/"},
		"elsewhere":                   {307, map[string]string{chat: "http://other.test/v1/chat/completions"}, "POST", chat, "307 1 http://other.test/v1/chat/completions"},
		"to another port":             {307, map[string]string{chat: "http://upstream.test:81/x"}, "POST", chat, "307 1 http://upstream.test:81/x"},
		"to another scheme":           {308, map[string]string{chat: "https://upstream.test/x"}, "POST", chat, "308 1 https://upstream.test/x"},
		"another scheme at the port":  {307, map[string]string{chat: "https://upstream.test:80/x"}, "POST", chat, "307 1 https://upstream.test:80/x"},
		"a name that begins alike":    {307, map[string]string{chat: "http://upstream.test.evil/x"}, "POST", chat, "307 1 http://upstream.test.evil/x"},
		"a name in the user's place":  {307, map[string]string{chat: "http://upstream.test@evil.test/x"}, "POST", chat, "307 1 http://upstream.test@evil.test/x"},
		"a file's content, elsewhere": {302, map[string]string{"/v1/files/f/content": "https://blobs.test/f?sig=1"}, "GET", "/v1/files/f/content", "302 1 https://blobs.test/f?sig=1"},
		"300 is a choice":             {300, slash, "GET", "/v1/models", "300 1 /v1/models/"},
		"304 is none":                 {304, slash, "GET", "/v1/models", "304 1 /v1/models/"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var got []string
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
					body := readAll(r)
					mu.Lock()
					got = append(got, strings.Join([]string{r.Method, body, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), r.Host}, "|"))
					mu.Unlock()
					redirects(tt.status, tt.to)(w, r, n)
				})
				body := ""
				if tt.method == "POST" {
					body = chatBody
				}
				resp, answer := g.do(g.request(tt.method, tt.path, body))
				if got := fmt.Sprint(resp.StatusCode, " ", g.calls.Load(), " ", resp.Header.Get("Location")); got != tt.want {
					t.Errorf("got %s, want %s: %s", got, tt.want, answer)
				}
				if n := resp.Header.Get("X-Outrigger-Attempts"); n != "1" {
					t.Errorf("%s attempts", n)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, call := range got {
					if call != got[0] || !strings.HasPrefix(call, tt.method+"|"+body+"|Bearer sk-test|") || !strings.HasSuffix(call, "|upstream.test") {
						t.Errorf("a call brought %q, the first %q", call, got[0])
					}
				}
				if n := len(got) - 1; n > 0 && !strings.Contains(g.log.String(), fmt.Sprintf(`"redirects":%d`, n)) {
					t.Errorf("the log does not tell of %d redirects: %s", n, g.log.String())
				}
			})
		})
	}
}

// After a redirect everything is as for any attempt: failures are retried, at the new place;
// breaker, slots and limits have seen one attempt.
func TestWhatARedirectLeadsToIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, n int) {
			paths = append(paths, r.URL.Path)
			switch n {
			case 1:
				redirects(307, map[string]string{"/v1/chat/completions": "/v1/chat/completions/"})(w, r, n)
			case 2, 3:
				apiError(503)(w, r, n)
			default:
				fine(w, r, n)
			}
		}, func(c *settings.Config) { c.MaxInflight = 1 })
		for range 3 {
			if resp, body := g.chat(); resp.StatusCode != 200 {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
		}
		const slash = "/v1/chat/completions/"
		want := []string{slash[:len(slash)-1], slash, slash, slash, slash[:len(slash)-1], slash[:len(slash)-1]}
		if fmt.Sprint(paths) != fmt.Sprint(want) {
			t.Errorf("called %v, want %v", paths, want)
		}
		if n, up := g.inflight(), g.status().Upstreams[0]; n != 0 || up.Concurrency.Running != 0 {
			t.Errorf("%d are in flight, %+v", n, up.Concurrency)
		}
	})
}

// On sockets, where a redirect may come before the body was taken.
func TestALargeBodyIsRedirected(t *testing.T) {
	for name, read := range map[string]bool{"after it was read": true, "before": false} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
				if !strings.HasSuffix(r.URL.Path, "/") {
					if read {
						_, _ = io.Copy(io.Discard, r.Body)
					}
					http.Redirect(w, r, r.URL.Path+"/", http.StatusTemporaryRedirect)
					return
				}
				if got := readAll(r); got != long {
					t.Errorf("call %d brought %d bytes of %d", n, len(got), len(long))
				}
				fine(w, r, n)
			})
			for _, path := range []string{"/v1/files", "/v1/responses"} {
				if resp, body := g.do(g.request("POST", path, long)); resp.StatusCode != 200 {
					t.Errorf("got %d %s", resp.StatusCode, body)
				}
			}
		})
	}
}

// A caller that asked for one upstream by name stays there when it follows a redirect itself.
func TestALocationLeadsThroughOutrigger(t *testing.T) {
	g := newRig(t, redirects(302, map[string]string{"/v1/x": "/v1/y"}))
	resp, _ := g.do(g.request("POST", "/@openai/v1/x", chatBody))
	if got := resp.Header.Get("Location"); got != "/@openai/v1/y" {
		t.Errorf("Location %q", got)
	}
	// The body is not kept: it cannot be sent again.
	g = newRig(t, redirects(307, map[string]string{"/v1/x": "/v1/x/"}), func(c *settings.Config) { c.Bodies.MemoryMax, c.Bodies.SpoolMax = 1<<16, 0 })
	resp, _ = g.do(g.request("POST", "/v1/x", long))
	if got := resp.Header.Get("Location"); resp.StatusCode != 307 || got != "/v1/x/" || g.calls.Load() != 1 {
		t.Errorf("%d to %q after %d calls", resp.StatusCode, got, g.calls.Load())
	}
}
