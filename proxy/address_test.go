package proxy

import (
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/values"
	"outrigger/proxy/carrier"
	"outrigger/proxy/settings"
	"outrigger/proxy/upstream"
)

// two returns the second of two upstreams, as New makes it.
func two(t *testing.T, first, second settings.Upstream) *upstream.API {
	t.Helper()
	c := testConfig(t, "http://x.test")
	c.Upstreams = []settings.Upstream{first, second}
	p, err := New(c, Deps{Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p.gen().Upstreams[1].API
}

func at(t *testing.T, name, address string) settings.Upstream {
	t.Helper()
	u := DefaultUpstream()
	u.Name = name
	var err error
	if u.URL, err = url.Parse(address); err != nil {
		t.Fatal(err)
	}
	return u
}

// secretHeaders is everything that a caller may prove itself with, and what not.
func secretHeaders() http.Header {
	return http.Header{
		"Authorization": {"Bearer sk-caller"}, "Api-Key": {"sk-caller"}, "X-Api-Key": {"sk-caller"}, "X-Goog-Api-Key": {"sk-caller"},
		"Cookie": {"session=sk-caller"}, "Openai-Organization": {"org"}, "Openai-Project": {"proj"}, "X-First-Key": {"sk-caller"},
		"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.sk-caller", "openai-organization.org"},
		"Accept":                 {"*/*"}, "X-Other": {"stays"},
	}
}

func TestACallersCredentialGoesToNoOtherHost(t *testing.T) {
	clean := http.Header{"Accept": {"*/*"}, "X-Other": {"stays"}, "Sec-Websocket-Protocol": {"realtime"}}
	with := func(h http.Header, name, value string) http.Header {
		h = h.Clone()
		h[name] = []string{value}
		return h
	}
	const secretQuery, cleanQuery = "a=1&key=sk-caller&b=%3B;&API%5Fkey=sk-caller&token=x&keys=2", "a=1&b=%3B;&keys=2"
	tests := map[string]struct {
		first, second string
		edit          func(*settings.Upstream)
		meant         bool
		want          http.Header
		query         string
	}{
		"another host":                    {"https://api.openai.com", "https://api.groq.com", nil, false, clean, cleanQuery},
		"another host with a key":         {"https://api.openai.com", "https://api.groq.com", func(u *settings.Upstream) { u.APIKey = values.NewSecret("gsk") }, false, with(clean, "Authorization", "Bearer gsk"), cleanQuery},
		"a key in a header of its own":    {"https://api.openai.com", "https://x.openai.azure.com", func(u *settings.Upstream) { u.APIKey, u.AuthHeader = values.NewSecret("az"), "api-key" }, false, with(clean, "Api-Key", "az"), cleanQuery},
		"a key among the headers":         {"https://api.openai.com", "https://api.groq.com", func(u *settings.Upstream) { u.Headers = []settings.Pair{{Name: "authorization", Value: "Basic x"}} }, false, with(clean, "Authorization", "Basic x"), cleanQuery},
		"this machine":                    {"https://api.openai.com", "http://127.0.0.1:11434", nil, false, clean, cleanQuery},
		"the same host without TLS":       {"https://api.openai.com", "http://api.openai.com", nil, false, clean, cleanQuery},
		"a host whose name ends alike":    {"https://api.openai.com", "https://xapi.openai.com", nil, false, clean, cleanQuery},
		"another host that was asked for": {"https://api.openai.com", "https://api.groq.com", nil, true, secretHeaders(), secretQuery},
		"another host that may have it":   {"https://api.openai.com", "https://api.groq.com", func(u *settings.Upstream) { u.CallerKey = settings.CallerKeySend }, false, secretHeaders(), secretQuery},
		"asked for, and never to have it": {"https://api.openai.com", "https://api.groq.com", func(u *settings.Upstream) { u.CallerKey = settings.CallerKeyDrop }, true, clean, cleanQuery},
		"the same host":                   {"https://api.openai.com", "https://API.openai.com:443/v2", nil, false, secretHeaders(), secretQuery},
		"the same host with another port": {"http://vllm:8000", "http://vllm:8001", nil, false, secretHeaders(), secretQuery},
		"the same host, never to have it": {"http://vllm:8000", "http://vllm:8001", func(u *settings.Upstream) { u.CallerKey = settings.CallerKeyDrop }, false, clean, cleanQuery},
		"names of one machine":            {"http://localhost:1", "http://[::1]:2", nil, false, secretHeaders(), secretQuery},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			first, second := at(t, "first", tt.first), at(t, "second", tt.second)
			first.AuthHeader = "x-first-key"
			if tt.edit != nil {
				tt.edit(&second)
			}
			out := &http.Request{Header: secretHeaders(), URL: &url.URL{Path: "/v1/models", RawQuery: secretQuery}}
			two(t, first, second).Address(out, "", tt.meant)
			compareHeaders(t, out.Header, tt.want)
			if out.URL.RawQuery != tt.query {
				t.Errorf("query %q, want %q", out.URL.RawQuery, tt.query)
			}
			if want := second.URL.Host; out.URL.Host != want || out.Host != "" {
				t.Errorf("goes to %q as %q, want %q", out.URL.Host, out.Host, want)
			}
		})
	}
}

func TestTheCredentialIsWhatTheUpstreamIsSent(t *testing.T) {
	up := two(t, at(t, "first", "https://a.test"), at(t, "second", "https://b.test"))
	cs := carrier.NewCredentials(nil)
	sent := func(u *upstream.API, key string) carrier.Credential {
		out := &http.Request{Header: http.Header{"Authorization": {"Bearer " + key}}, URL: &url.URL{}}
		u.Address(out, "", false)
		return cs.Payer(out)
	}
	if sent(up, "one") != sent(up, "two") {
		t.Error("two callers whose keys are dropped are two credentials")
	}
	up.Config.APIKey = values.NewSecret("own")
	up.Secrets.Store(upstream.NewSecrets(&up.Config, nil))
	if sent(up, "one") != sent(up, "two") {
		t.Error("two callers that use one key are two credentials")
	}
	second := at(t, "second", "https://b.test")
	second.CallerKey = settings.CallerKeySend
	up = two(t, at(t, "first", "https://a.test"), second)
	if sent(up, "one") == sent(up, "two") {
		t.Error("two keys are one credential")
	}
}
