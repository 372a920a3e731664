package main

import (
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy"
)

func TestOriginsAreWhatBrowsersSend(t *testing.T) {
	for origin, want := range map[string]bool{
		"https://app.example.com": true, "http://localhost:3000": true, "http://127.0.0.1": true, "http://[::1]:3000": true, "chrome-extension://abcdef": true,
		"": false, "*": false, "null": false, "app.example.com": false, "https://": false, "https://a.example/": false, "https://a.example/x": false,
		"https://a.example?": false, "https://a.example#": false, "https://u@a.example": false, "HTTPS://a.example": false, "https://A.example": false,
		"https://a.example:443": false, "http://a.example:80": false, "http://a.example:443": true, "https://a.example:": false, "https://a.example:0": false,
		"https://*.example": false, "https://a b": false,
	} {
		if got := isOrigin(origin); got != want {
			t.Errorf("isOrigin(%q) = %v", origin, got)
		}
	}
}

func TestTokensAreVisibleASCII(t *testing.T) {
	for text, want := range map[string]bool{
		"token": true, "a,b": true, "!~": true, "": false, " ": false, "a b": false, "a\t": false, "a\n": false, "\x7f": false, "tokén": false, "\xff": false,
	} {
		if got := isToken(text); got != want {
			t.Errorf("isToken(%q) = %v", text, got)
		}
	}
}

func TestCredentialsThatAnUpstreamGetsAreRecognised(t *testing.T) {
	for name, tt := range map[string]struct {
		upstream proxy.Upstream
		want     bool
	}{
		"nothing":               {proxy.Upstream{AuthHeader: "Authorization"}, false},
		"a key":                 {proxy.Upstream{APIKey: values.NewSecret("k")}, true},
		"an ordinary header":    {proxy.Upstream{Headers: []proxy.Pair{{Name: "OpenAI-Beta", Value: "x"}}}, false},
		"authorization":         {proxy.Upstream{Headers: []proxy.Pair{{Name: "X-One"}, {Name: "AUTHORIZATION", Value: "Bearer k"}}}, true},
		"the header of the key": {proxy.Upstream{AuthHeader: "X-Own-Key", Headers: []proxy.Pair{{Name: "x-own-key", Value: "k"}}}, true},
		"an ordinary parameter": {proxy.Upstream{Query: []proxy.Pair{{Name: "api-version", Value: "1"}}}, false},
		"a key as parameter":    {proxy.Upstream{Query: []proxy.Pair{{Name: "Key", Value: "k"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.upstream.LendsKey(); got != tt.want {
				t.Errorf("LendsKey = %v, want %v", got, tt.want)
			}
		})
	}
}
