package outward

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProxies_VariablesMeanWhatTheyMeanElsewhere(t *testing.T) {
	for name, tt := range map[string]struct {
		environ, to, via, variable string
	}{
		"none":                          {"", "https://api.example", "", ""},
		"the scheme's own":              {"HTTPS_PROXY=http://p:1 HTTP_PROXY=http://q:2 ALL_PROXY=socks5://r:3", "https://api.example", "http://p:1", "HTTPS_PROXY"},
		"and the other one's":           {"HTTPS_PROXY=http://p:1 HTTP_PROXY=http://q:2 ALL_PROXY=socks5://r:3", "http://api.example", "http://q:2", "HTTP_PROXY"},
		"ALL_PROXY for the rest":        {"HTTPS_PROXY=http://p:1 ALL_PROXY=socks5h://r:3", "http://api.example", "socks5h://r:3", "ALL_PROXY"},
		"lower case goes first":         {"ALL_PROXY=http://p:1 all_proxy=http://q:2", "http://api.example", "http://q:2", "all_proxy"},
		"lower case, https":             {"HTTPS_PROXY=http://p:1 https_proxy=http://q:2", "https://api.example", "http://q:2", "https_proxy"},
		"empty is not set":              {"https_proxy= ALL_PROXY=http://q:2", "https://api.example", "http://q:2", "ALL_PROXY"},
		"without a scheme":              {"ALL_PROXY=q:2", "https://api.example", "http://q:2", "ALL_PROXY"},
		"GNOME's":                       {"ALL_PROXY=socks://q:2/", "https://api.example", "socks5://q:2/", "ALL_PROXY"},
		"CGI":                           {"REQUEST_METHOD=GET HTTP_PROXY=http://p:1", "http://api.example", "", ""},
		"CGI, lower case":               {"REQUEST_METHOD=GET http_proxy=http://p:1", "http://api.example", "http://p:1", "http_proxy"},
		"this machine":                  {"ALL_PROXY=http://p:1", "http://localhost:11434", "", ""},
		"this machine's address":        {"ALL_PROXY=http://p:1", "http://127.0.0.2:11434", "", ""},
		"this machine's other address":  {"ALL_PROXY=http://p:1", "http://[::1]:11434", "", ""},
		"a name that only looks so":     {"ALL_PROXY=http://p:1", "http://localhost.example", "http://p:1", "ALL_PROXY"},
		"NO_PROXY":                      {"ALL_PROXY=http://p:1 NO_PROXY=other.example,api.example", "https://api.example", "", ""},
		"no_proxy goes first":           {"ALL_PROXY=http://p:1 NO_PROXY=api.example no_proxy=other.example", "https://api.example", "http://p:1", "ALL_PROXY"},
		"all of them":                   {"ALL_PROXY=http://p:1 NO_PROXY=*", "https://api.example", "", ""},
		"a name stands for those under": {"ALL_PROXY=http://p:1 NO_PROXY=example", "https://api.example", "", ""},
		"but not for those that end so": {"ALL_PROXY=http://p:1 NO_PROXY=pi.example", "https://api.example", "http://p:1", "ALL_PROXY"},
		"a dot, those under it":         {"ALL_PROXY=http://p:1 NO_PROXY=.example", "https://API.example.", "", ""},
		"a dot, not itself":             {"ALL_PROXY=http://p:1 NO_PROXY=.api.example", "https://api.example", "http://p:1", "ALL_PROXY"},
		"a star and a dot":              {"ALL_PROXY=http://p:1 NO_PROXY=*.example", "https://api.example", "", ""},
		"a port":                        {"ALL_PROXY=http://p:1 NO_PROXY=api.example:443", "https://api.example", "", ""},
		"another port":                  {"ALL_PROXY=http://p:1 NO_PROXY=api.example:8443", "https://api.example", "http://p:1", "ALL_PROXY"},
		"an address":                    {"ALL_PROXY=http://p:1 NO_PROXY=10.0.0.1", "http://10.0.0.1:8000", "", ""},
		"an address and a port":         {"ALL_PROXY=http://p:1 NO_PROXY=10.0.0.1:80", "http://10.0.0.1:8000", "http://p:1", "ALL_PROXY"},
		"a network":                     {"ALL_PROXY=http://p:1 NO_PROXY=10.0.0.0/8", "http://10.1.2.3:8000", "", ""},
		"another network":               {"ALL_PROXY=http://p:1 NO_PROXY=10.0.0.0/8", "http://11.1.2.3:8000", "http://p:1", "ALL_PROXY"},
		"IPv6":                          {"ALL_PROXY=http://p:1 NO_PROXY=[fd00::1]:80,fd01::/16", "http://[fd01::9]:8000", "", ""},
		"IPv6 with a port":              {"ALL_PROXY=http://p:1 NO_PROXY=[fd00::1]:80", "http://[fd00::1]", "", ""},
	} {
		u, err := url.Parse(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		via, variable := Of(strings.Fields(tt.environ)).For(u)
		if got := (&url.URL{}).ResolveReference(either(via)).String(); got != tt.via || variable != tt.variable {
			t.Errorf("%s: %q of %s, want %q of %s", name, got, variable, tt.via, tt.variable)
		}
	}
	u := &url.URL{Scheme: "https", Host: "api.example"}
	if via, _ := Of([]string{"ALL_PROXY=http://p:1", "NO_PROXY= other.example , api.example "}).For(u); via != nil {
		t.Errorf("a list with spaces: %v", via)
	}
}

func either(u *url.URL) *url.URL {
	if u == nil {
		return &url.URL{}
	}
	return u
}

func TestProxies_WhatCannotBeUsedIsToldWithoutItsPassword(t *testing.T) {
	for value, want := range map[string]string{
		"socks4://me:secret@a:1": `ALL_PROXY is not used: proxies of the kind "socks4" are not supported; http, https and socks5 are`,
		"http://me:secret@:1":    "ALL_PROXY is not used: want a URL such as socks5h://127.0.0.1:1080",
		"http://me:secret@a:b":   "ALL_PROXY is not used: want a URL such as socks5h://127.0.0.1:1080",
	} {
		if got := strings.Join(Of([]string{"ALL_PROXY=" + value}).NotUsed(), "\n"); got != want {
			t.Errorf("%s: %s", value, got)
		}
	}
	if got := Of([]string{"ALL_PROXY=socks5://a:1", "NO_PROXY=x"}).NotUsed(); got != nil {
		t.Errorf("%q", got)
	}
}

func TestThrough_BoundsAProxyThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		dial := Through(&url.URL{Scheme: "socks5", Host: "proxy"}, func(_ context.Context, _, address string) (net.Conn, error) {
			if address != "proxy:1080" {
				t.Errorf("dialled %s", address)
			}
			return near, nil
		}, 5*time.Second)
		start := time.Now()
		conn, err := dial(t.Context(), "tcp", "api.example:443")
		if took := time.Since(start); conn != nil || err == nil || took != 5*time.Second {
			t.Errorf("got %v %v after %v", conn, err, took)
		}
	})
}

func TestThrough_TellsOfAProxyThatIsNotThere(t *testing.T) {
	gone := errors.New("gone")
	dial := Through(&url.URL{Scheme: "socks5", Host: "proxy:1"}, func(context.Context, string, string) (net.Conn, error) { return nil, gone }, time.Second)
	var op *net.OpError
	if _, err := dial(t.Context(), "tcp", "api.example:443"); !errors.Is(err, gone) || !errors.As(err, &op) || op.Op != "socks connect" {
		t.Errorf("%v", err)
	}
}
