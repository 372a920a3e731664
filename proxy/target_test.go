package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/access"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
)

// reached is how a request came to one of two upstreams.
type reached struct{ upstream, path, key string }

// aimed is a proxy in front of two upstreams, one of whose hosts requests are meant
// for.
func aimed(t *testing.T, edit func(first, second *settings.Upstream)) (*rig, map[string]string, chan reached) {
	t.Helper()
	arrived := make(chan reached, 10)
	hosts := map[string]string{}
	upstreams := make([]settings.Upstream, 2)
	for i, name := range []string{"first", "second"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			arrived <- reached{name, r.URL.String(), r.Header.Get("Authorization")}
			if strings.Contains(r.URL.Path, "down") {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		t.Cleanup(server.Close)
		hosts[name] = strings.TrimPrefix(server.URL, "http://")
		upstreams[i] = DefaultUpstream()
		upstreams[i].Name = name
		upstreams[i].URL = &url.URL{Scheme: "http", Host: hosts[name]}
	}
	edit(&upstreams[0], &upstreams[1])
	g := newRigAt(t, "http://"+hosts["first"], func(c *settings.Config) {
		c.Upstreams, c.Callers.Intercept, c.Retry.Max = upstreams, true, 0
	})
	front := g.front.Config.Handler
	g.front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if target := r.Header.Get("Through"); target != "" { // as the listener of a tunnel has it
			r = r.WithContext(intercept.WithToken(intercept.WithTarget(r.Context(), target), r.Header.Get("Opened-With")))
		}
		front.ServeHTTP(w, r)
	})
	return g, hosts, arrived
}

func TestARequestToAnUpstreamsHostGoesThere(t *testing.T) {
	based := func(first, second *settings.Upstream) {
		first.URL.Path, second.URL.Path = "/api", "/openai"
		second.APIKey = values.NewSecret("sk-second")
	}
	for name, tt := range map[string]struct {
		to, path string
		want     reached
	}{
		"the first":                   {"first", "/api/v1/models", reached{"first", "/api/v1/models", "Bearer sk-app"}},
		"the first, beside its base":  {"first", "/docs?a=b;c", reached{"first", "/docs?a=b;c", "Bearer sk-app"}},
		"the second":                  {"second", "/openai/v1/models", reached{"second", "/openai/v1/models", "Bearer sk-second"}},
		"the second, beside its base": {"second", "/v1/models", reached{"second", "/v1/models", "Bearer sk-second"}},
		"no name is a prefix here":    {"first", "/@second/v1/models", reached{"first", "/@second/v1/models", "Bearer sk-app"}},
		"escaped":                     {"second", "/openai/v1/models/a%2Fb", reached{"second", "/openai/v1/models/a%2Fb", "Bearer sk-second"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, hosts, arrived := aimed(t, based)
			host := hosts[tt.to]
			for way, text := range map[string]string{
				"through a tunnel": "GET " + tt.path + " HTTP/1.1\r\nHost: " + host + "\r\nThrough: " + host,
				"by its whole URL": "GET http://" + host + tt.path + " HTTP/1.1\r\nHost: " + host,
			} {
				resp, body := g.raw(text + "\r\nAuthorization: Bearer sk-app\r\n\r\n")
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("%s: %d %s", way, resp.StatusCode, body)
				}
				if got := <-arrived; got != tt.want {
					t.Errorf("%s: %+v, want %+v", way, got, tt.want)
				}
			}
		})
	}
}

func TestFailoverStartsAtTheFirstUpstreamsHostAlone(t *testing.T) {
	for to, want := range map[string][]reached{
		"first":  {{"first", "/api/v1/down", "Bearer sk-app"}, {"second", "/openai/v1/down", "Bearer sk-second"}},
		"second": {{"second", "/openai/v1/down", "Bearer sk-second"}},
	} {
		t.Run(to, func(t *testing.T) {
			g, hosts, arrived := aimed(t, func(first, second *settings.Upstream) {
				first.URL.Path, second.URL.Path = "/api", "/openai"
				second.APIKey = values.NewSecret("sk-second")
			})
			_, _ = g.raw("GET " + want[0].path + " HTTP/1.1\r\nHost: " + hosts[to] + "\r\nThrough: " + hosts[to] + "\r\nAuthorization: Bearer sk-app\r\n\r\n")
			var got []reached
			for len(arrived) > 0 {
				got = append(got, <-arrived)
			}
			if len(got) != len(want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("attempt %d: %+v, want %+v", i+1, got[i], want[i])
				}
			}
		})
	}
}

// Gateways have the APIs of several providers at one host.
func TestOfSeveralAPIsAtOneHostTheOneThatIsMeantIsAsked(t *testing.T) {
	for path, want := range map[string][]reached{
		"/one/v1/down": {{"first", "/one/v1/down", "Bearer sk-one"}, {"first", "/two/v1/down", "Bearer sk-two"}},
		"/two/v1/down": {{"first", "/two/v1/down", "Bearer sk-two"}},
	} {
		g, hosts, arrived := aimed(t, func(first, second *settings.Upstream) {
			second.URL = &url.URL{Scheme: "http", Host: first.URL.Host}
			first.URL.Path, second.URL.Path = "/one", "/two"
			first.APIKey, second.APIKey = values.NewSecret("sk-one"), values.NewSecret("sk-two")
		})
		_, _ = g.raw("GET " + path + " HTTP/1.1\r\nHost: " + hosts["first"] + "\r\nThrough: " + hosts["first"] + "\r\n\r\n")
		var got []reached
		for len(arrived) > 0 {
			got = append(got, <-arrived)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
}

func TestOtherHostsAreNotServed(t *testing.T) {
	g, hosts, arrived := aimed(t, func(_, _ *settings.Upstream) {})
	for name, tt := range map[string]struct{ request, code string }{
		"a whole URL of another host":            {"GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example", "bad_request"},
		"another port":                           {"GET http://evil.example:1/ HTTP/1.1\r\nHost: " + hosts["first"], "bad_request"},
		"another host in a tunnel":               {"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nThrough: " + hosts["first"], "host_not_allowed"},
		"the other upstream's host in a tunnel":  {"GET /v1/models HTTP/1.1\r\nHost: " + hosts["second"] + "\r\nThrough: " + hosts["first"], "host_not_allowed"},
		"another host's URL in a tunnel":         {"GET http://evil.example/ HTTP/1.1\r\nHost: " + hosts["first"] + "\r\nThrough: " + hosts["first"], "host_not_allowed"},
		"a page in a tunnel":                     {"GET / HTTP/1.1\r\nOrigin: https://evil.example\r\nHost: " + hosts["first"] + "\r\nThrough: " + hosts["first"], "origin_not_allowed"},
		"a tunnel where only requests come":      {"CONNECT " + hosts["first"] + " HTTP/1.1\r\nHost: " + hosts["first"], "bad_request"},
		"an upstream's host that is not a proxy": {"GET /v1/models HTTP/1.1\r\nHost: evil.example", "host_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := g.raw(tt.request + "\r\n\r\n")
			if resp.StatusCode/100 != 4 || errorCode(t, body) != tt.code {
				t.Errorf("%d %s, want %s", resp.StatusCode, body, tt.code)
			}
		})
	}
	if len(arrived) > 0 {
		t.Errorf("it arrived: %+v", <-arrived)
	}
}

func TestATokenIsAskedForUnlessTheTunnelWasOpenedWithOne(t *testing.T) {
	g, hosts, _ := aimed(t, func(_, _ *settings.Upstream) {})
	g.proxy.gen().callers = access.NewCallers(settings.Callers{Tokens: []values.Secret{values.NewSecret("token")}, Listen: "127.0.0.1:0"})
	host := hosts["first"]
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\nThrough: " + host:                                             200,
		"GET http://" + host + "/ HTTP/1.1":                                              401,
		"GET http://" + host + "/ HTTP/1.1\r\nProxy-Authorization: Bearer x":             401,
		"GET http://" + host + "/ HTTP/1.1\r\nX-Outrigger-Token: token":                  200,
		"GET http://" + host + "/ HTTP/1.1\r\nProxy-Authorization: Basic dG9rZW46":       200,
		"GET http://" + host + "/ HTTP/1.1\r\nProxy-Authorization: Bearer token":         200,
		"GET / HTTP/1.1\r\nProxy-Authorization: Bearer token\r\nThrough: " + "evil.host": 403,
	} {
		if resp, body := g.raw(request + "\r\nHost: " + host + "\r\n\r\n"); resp.StatusCode != want {
			t.Errorf("%q: %d %s, want %d", request, resp.StatusCode, body, want)
		}
	}
}

// The token of a tunnel says whose calls are in it, as one in a header does.
func TestKeysOfTunnelsWithDifferentTokensAreDifferentKeys(t *testing.T) {
	g, hosts, arrived := aimed(t, func(_, _ *settings.Upstream) {})
	for _, tt := range []struct {
		token string
		calls int
	}{{"one", 1}, {"two", 2}, {"one", 2}, {"", 3}} {
		resp, body := g.raw("POST /v1/files HTTP/1.1\r\nHost: " + hosts["first"] + "\r\nThrough: " + hosts["first"] +
			"\r\nOpened-With: " + tt.token + "\r\nIdempotency-Key: k\r\nContent-Length: 2\r\n\r\n{}")
		if resp.StatusCode != http.StatusOK || len(arrived) != tt.calls {
			t.Errorf("with token %q: %d %s, %d calls, want %d", tt.token, resp.StatusCode, body, len(arrived), tt.calls)
		}
	}
}

func TestWithoutInterceptionAnUpstreamsHostIsAnotherHost(t *testing.T) {
	g := newRig(t, good)
	g.proxy.gen().Upstreams[0].Config.URL = &url.URL{Scheme: "http", Host: "api.example"}
	resp, body := g.raw("GET http://api.example/v1/models HTTP/1.1\r\nHost: api.example\r\n\r\n")
	if resp.StatusCode != http.StatusBadRequest || errorCode(t, body) != "bad_request" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
