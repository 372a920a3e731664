package config

import (
	"net/url"
	"reflect"
	"testing"

	"outrigger/proxy/settings"
)

func TestUpstreamURLs(t *testing.T) {
	for text, want := range map[string]*url.URL{
		"https://api.openai.com":          {Scheme: "https", Host: "api.openai.com"},
		"HTTPS://api.openai.com":          {Scheme: "https", Host: "api.openai.com"},
		"http://localhost:11434/":         {Scheme: "http", Host: "localhost:11434", Path: "/"},
		"http://[::1]:8000/api":           {Scheme: "http", Host: "[::1]:8000", Path: "/api"},
		"https://openrouter.ai/api":       {Scheme: "https", Host: "openrouter.ai", Path: "/api"},
		"https://gw.example/a%2Fb/openai": {Scheme: "https", Host: "gw.example", Path: "/a/b/openai", RawPath: "/a%2Fb/openai"},
	} {
		got, problem := parseUpstreamURL(text)
		if problem != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %q, want %+v", text, got, problem, want)
		}
	}
}

func TestWhatIsWrongWithAnUpstreamURLIsTold(t *testing.T) {
	const (
		example = "want a URL such as https://api.openai.com"
		scheme  = "want a URL that begins with http:// or https://"
		host    = "want a URL with a host"
		commas  = "want entries separated by commas, not white space"
		port    = "want a port from 1 to 65535"
	)
	for text, want := range map[string]string{
		"": scheme, "api.openai.com": scheme, "//api.openai.com": scheme, "ws://api.openai.com": scheme, "unix:///run/x.sock": scheme,
		"api.openai.com:443": scheme, "https:": host, "https://": host, "https:///v1": host, "https://:443": host, "https:api.openai.com": host,
		"https://api.openai.com:0": port, "https://api.openai.com:65536": port, "https://api.openai.com:x": example, "https://a b": commas,
		"https://a%zz": example, "https://[::1": example, "https://a.example/%": example, "https://a.example\n": commas,
		"https://user@a.example":     "want a URL without user and password; a key goes into OUTRIGGER_UPSTREAM_NAME_API_KEY",
		"https://@a.example":         "want a URL without user and password; a key goes into OUTRIGGER_UPSTREAM_NAME_API_KEY",
		"https://a.example/?a=b":     "want a URL without query; parameters go into OUTRIGGER_UPSTREAM_NAME_QUERY",
		"https://a.example/#anchor":  "want a URL without fragment",
		"https://a.example/openai/#": "want a URL without fragment",
	} {
		if got, problem := parseUpstreamURL(text); got != nil || problem != want {
			t.Errorf("%q: %v, %q, want %q", text, got, problem, want)
		}
	}
}

func TestAWrongURLKeepsItsNameSoThatItsVariablesAreChecked(t *testing.T) {
	found := &mistakes{}
	got := upstreamsOf([]NamedURL{{"a", "ftp://x"}, {"B", "https://b"}, {"c", "https://c"}, {"c", "https://d"}}, found)
	want := []settings.Upstream{{Name: "a"}, {Name: "c", URL: &url.URL{Scheme: "https", Host: "c"}}}
	if !reflect.DeepEqual(got, want) || len(found.all) != 3 {
		t.Errorf("got %+v and %v", got, found.all)
	}
}
