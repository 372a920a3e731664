package config

import (
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
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
		upstream settings.Upstream
		want     bool
	}{
		"nothing":               {settings.Upstream{AuthHeader: "Authorization"}, false},
		"a key":                 {settings.Upstream{APIKey: values.NewSecret("k")}, true},
		"an ordinary header":    {settings.Upstream{Headers: []settings.Pair{{Name: "OpenAI-Beta", Value: "x"}}}, false},
		"authorization":         {settings.Upstream{Headers: []settings.Pair{{Name: "X-One"}, {Name: "AUTHORIZATION", Value: "Bearer k"}}}, true},
		"the header of the key": {settings.Upstream{AuthHeader: "X-Own-Key", Headers: []settings.Pair{{Name: "x-own-key", Value: "k"}}}, true},
		"an ordinary parameter": {settings.Upstream{Query: []settings.Pair{{Name: "api-version", Value: "1"}}}, false},
		"a key as parameter":    {settings.Upstream{Query: []settings.Pair{{Name: "Key", Value: "k"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.upstream.LendsKey(); got != tt.want {
				t.Errorf("LendsKey = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestExposure_EveryCarrierOfAKeyWantsATokenOffLoopback(t *testing.T) {
	const headers, query = "OUTRIGGER_UPSTREAM_OPENAI_HEADERS=", "OUTRIGGER_UPSTREAM_OPENAI_QUERY="
	for pair, lends := range map[string]bool{
		headers + "x-api-key=k": true, headers + "api-key=k": true, headers + "x-goog-api-key=k": true, headers + "ocp-apim-subscription-key=k": true,
		headers + "cf-aig-authorization=Bearer k": true, headers + "x-portkey-api-key=k": true, headers + "helicone-auth=Bearer k": true,
		headers + "x-amz-security-token=k": true, headers + "Cookie=session=k": true, headers + "Proxy-Authorization=Basic k": true,
		headers + "Sec-WebSocket-Protocol=openai-insecure-api-key.k": true, headers + "X-Acme=Bearer abcdefgh": true, headers + "X-API-KEY=k": true,
		query + "key=k": true, query + "api_key=k": true, query + "access_token=k": true, query + "subscription-key=k": true, query + "KEY=k": true,
		headers + "OpenAI-Beta=assistants=v2": false, headers + "HTTP-Referer=https://app.example.com": false, headers + "X-Title=My App": false,
		headers + "Sec-WebSocket-Protocol=realtime": false, headers + "OpenAI-Organization=org-0123456789abcdefghij": false,
		query + "api-version=2024-10-21": false, query + "max_tokens=10": false,
	} {
		t.Run(pair, func(t *testing.T) {
			found := mistakesOf(t, "OUTRIGGER_LISTEN=0.0.0.0:8383", pair)
			if got := len(found) == 1 && found[0].Variable == "OUTRIGGER_CLIENT_TOKENS"; got != lends || len(found) > 1 {
				t.Errorf("got %v", found)
			}
			for _, fine := range [][]string{{"OUTRIGGER_LISTEN=127.0.0.1:8383", pair}, {"OUTRIGGER_LISTEN=0.0.0.0:8383", "OUTRIGGER_CLIENT_TOKENS=t", pair}} {
				if found := mistakesOf(t, fine...); len(found) > 0 {
					t.Errorf("%s: got %v", fine[0], found)
				}
			}
		})
	}
}
