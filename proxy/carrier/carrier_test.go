package carrier

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestKind_OfHeaders(t *testing.T) {
	for kind, names := range map[Kind][]string{
		Proof: {
			"Authorization", "AUTHORIZATION", "authorization", "Proxy-Authorization", "X-Api-Key", "api-key", "apikey", "X-ApiKey", "X-API-KEY", "X-Goog-Api-Key",
			"Ocp-Apim-Subscription-Key", "cf-aig-authorization", "x-portkey-api-key", "x-portkey-virtual-key", "helicone-auth", "x-amz-security-token",
			"Cookie", "Private-Token", "X-Auth-Token", "X_Api_Key", "X-Acme-Secret", "X-Access-Token", "X-Goog-Iam-Authorization-Token", "DPoP",
			"Sec-WebSocket-Protocol", "X-Signature", "X-Client-Credential",
		},
		Account: {"OpenAI-Organization", "openai-project", "X-Goog-User-Project"},
		Harmless: {
			"User-Agent", "accept-encoding", "Content-Length", "Content-Type", "Date", "Traceparent", "tracestate", "X-Stainless-Retry-Count", "x-stainless-anything",
			"X-Request-ID", "Idempotency-Key", "idempotency-key", "X-Idempotency-Key", "Sec-WebSocket-Key", "X-B3-TraceId", "X-Outrigger-Priority", "X-Forwarded-For", "Via",
		},
		Asks:    {"Accept", "OpenAI-Beta", "anthropic-version", "Range", "If-None-Match"},
		Unknown: {"X-Forwarded-User", "X-Forwarded-Email", "X-Acme-Who", "Session_id", "X-Author", "X-Keyword", "Author", "X-Cache-Key", "X-Monkey", "X-Page-Token", "", "-", "X--"},
	} {
		for _, name := range names {
			if got := Header(name); got != kind {
				t.Errorf("%q is of kind %d, want %d", name, got, kind)
			}
		}
	}
}

func TestKind_OfParameters(t *testing.T) {
	for kind, names := range map[Kind][]string{
		Proof: {
			"key", "KEY", "Key", "api_key", "api-key", "apikey", "apiKey", "access_token", "accessToken", "token", "subscription-key", "code", "sig", "X-Amz-Signature",
			"X-Amz-Security-Token", "X-Amz-Credential", "key[]", "client_secret", "auth", "jwt",
		},
		Asks: {"api-version", "limit", "after", "include[]", "page_token", "pageToken", "Limit"},
		// max_tokens and the like are words of their own.
		Unknown: {"max_tokens", "tokens", "next_page_token", "continuation_token", "sort_key", "keyword", "keys", "author", "monkey", "", "a"},
	} {
		for _, name := range names {
			if got := Parameter(name); got != kind {
				t.Errorf("%q is of kind %d, want %d", name, got, kind)
			}
		}
	}
}

// differ has pairs of requests that must not have one identity.
func TestIdentity_TellsCallersApart(t *testing.T) {
	type request struct {
		h     http.Header
		query string
	}
	h := func(pairs ...string) http.Header {
		all := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			all.Add(pairs[i], pairs[i+1])
		}
		return all
	}
	of := func(r request) string { return string(Identity(nil, r.h, r.query, Payer)) }
	for name, pair := range map[string][2]request{
		"nothing and something":          {{}, {h: h("Authorization", "a")}},
		"nothing and an empty one":       {{}, {h: h("Authorization", "")}},
		"two credentials, of which one":  {{h: h("Authorization", "a", "X-Api-Key", "b")}, {h: h("Authorization", "a", "X-Api-Key", "c")}},
		"the same in another header":     {{h: h("X-Api-Key", "a")}, {h: h("Api-Key", "a")}},
		"header and query":               {{h: h("X-Api-Key", "a")}, {query: "x-api-key=a"}},
		"one twice":                      {{h: h("X-Api-Key", "a")}, {h: h("X-Api-Key", "a", "X-Api-Key", "a")}},
		"one list and two values":        {{h: h("X-Api-Key", "a, b")}, {h: h("X-Api-Key", "a", "X-Api-Key", "b")}},
		"moved from one to the next":     {{h: h("Api-Key", "ab", "X-Api-Key", "c")}, {h: h("Api-Key", "a", "X-Api-Key", "bc")}},
		"a parameter twice":              {{query: "key=a"}, {query: "key=a&key=a"}},
		"the order of two":               {{query: "key=a&key=b"}, {query: "key=b&key=a"}},
		"an escaped name":                {{query: "%6bey=a"}, {query: "%6bey=b"}},
		"cookies beside a balancer's":    {{h: h("Cookie", "__cf_bm=1; s=a")}, {h: h("Cookie", "__cf_bm=1; s=b")}},
		"one behind a bad escape":        {{query: "a=%zz&key=a"}, {query: "a=%zz&key=b"}},
		"a WebSocket's second protocols": {{h: h("Sec-Websocket-Protocol", "a", "Sec-Websocket-Protocol", "b")}, {h: h("Sec-Websocket-Protocol", "a", "Sec-Websocket-Protocol", "c")}},
	} {
		if of(pair[0]) == of(pair[1]) {
			t.Errorf("%s: %q is one identity", name, of(pair[0]))
		}
	}
	for name, pair := range map[string][2]request{
		"a balancer's cookie":    {{h: h("Cookie", "__cf_bm=1; s=a")}, {h: h("Cookie", "__cf_bm=2; s=a; AWSALB=x")}},
		"no cookie but that":     {{}, {h: h("Cookie", "__cf_bm=1")}},
		"what is asked for":      {{query: "key=a&limit=1"}, {query: "key=a&limit=2"}},
		"harmless headers":       {{h: h("User-Agent", "a", "Traceparent", "b")}, {h: h("User-Agent", "c")}},
		"what nobody knows":      {{h: h("X-Acme-Who", "a")}, {h: h("X-Acme-Who", "b")}},
		"the order of two names": {{h: h("Api-Key", "a", "X-Api-Key", "b")}, {h: h("X-Api-Key", "b", "Api-Key", "a")}},
	} {
		if of(pair[0]) != of(pair[1]) {
			t.Errorf("%s: %q and %q", name, of(pair[0]), of(pair[1]))
		}
	}
}

func TestDrop_LeavesAllElse(t *testing.T) {
	drop := func(p Pair) bool { return Parameter(p.Name) == Proof }
	for query, want := range map[string]string{
		"": "", "a=1": "a=1", "key=x": "", "a=1&key=x": "a=1", "key=x&a=1": "a=1", "key=x&key=y&a=1&KEY=": "a=1", "a=1;key=x;b=2": "a=1;b=2",
		"%6Bey=x&b=%zz": "b=%zz", "a=1&": "a=1&", "max_tokens=5&page_token=t": "max_tokens=5&page_token=t", "key": "", "a=key": "a=key", "&&a=1&&key=x": "&&a=1",
	} {
		if got := WithoutParameters(query, drop); got != want {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
	}
	for list, want := range map[string]string{
		"realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1":     "realtime, openai-beta.realtime-v1",
		"access_token, secret, graphql-ws":                                    "graphql-ws",
		"base64url.bearer.authorization.k8s.io.abc,v4.channel.k8s.io":         "v4.channel.k8s.io",
		"openai-organization.o, openai-project.p, openai-insecure-api-key.sk": "openai-organization.o, openai-project.p",
		"bearer": "",
	} {
		if got := strings.Join(WithoutProtocols([]string{list}, KindsOf(Proof)), "|"); got != want {
			t.Errorf("%q became %q, want %q", list, got, want)
		}
	}
}

func TestMask_HidesKeysAndLeavesTheRest(t *testing.T) {
	for text, want := range map[string]string{
		"Incorrect API key provided: sk-4jwn***.":            "Incorrect API key provided: [key]",
		"see https://x.test/v1?a=1&key=abcdef123&b=2":        "see https://x.test/v1?a=1&key=[key]&b=2",
		"see /v1?%6bey=abcdef123":                            "see /v1?%6bey=[key]",
		"X-Amz-Signature=0123456789abcdef is wrong":          "X-Amz-Signature=[key] is wrong",
		`{"api_key":"abcdef123","a":"b"}`:                    `{"api_key":"[key]","a":"b"}`,
		"/v1/sk-proj-abcdefgh/models":                        "/v1/[key]/models",
		"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln ok": "token [key] ok",
		"access_token: abcdef123":                            "access_token: [key]",
		// No credentials:
		"max_tokens=4096 and page_token=abcdef":  "max_tokens=4096 and page_token=abcdef",
		"/v1/responses/resp_68af4030baa48193":    "/v1/responses/resp_68af4030baa48193",
		"/v1/files/file-abc123DEF456ghi/content": "/v1/files/file-abc123DEF456ghi/content",
		"The model: gpt-4o-mini does not exist":  "The model: gpt-4o-mini does not exist",
		"Unsupported parameter: 'max_tokens'":    "Unsupported parameter: 'max_tokens'",
		"":                                       "",
	} {
		if got := Mask(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestSecrets_AreFoundAsTheyStandAndDecoded(t *testing.T) {
	h := http.Header{
		"Authorization":          {"Basic dXNlcm5hbWU6cGFzc3dvcmQx", "Bearer second-one"},
		"Cookie":                 {"a=b; session=cookie%20value; __cf_bm=balancers"},
		"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.ws.key-1"},
		"X-Acme-Who":             {"unknown-value-1", "short"},
		"X-Own":                  {"own-header"},
		"User-Agent":             {"OpenAI/Python 3.54.0"},
		"Content-Type":           {"application/json"},
	}
	got := Secrets(h, "key=q%2Dkey&a=1&KEY=&limit=1000000000000", "X-Own")
	for _, want := range []string{"username:password1", "password1", "second-one", "cookie value", "cookie%20value", "ws.key-1", "unknown-value-1", "own-header", "q%2Dkey", "q-key"} {
		if !slices.Contains(got, want) {
			if want == "q-key" { // shorter than what is hidden
				continue
			}
			t.Errorf("%q is not among %q", want, got)
		}
	}
	for _, secret := range got {
		if slices.Contains([]string{"application/json", "OpenAI/Python 3.54.0", "balancers", "short", "1000000000000", "realtime", ""}, secret) {
			t.Errorf("%q is taken for a secret", secret)
		}
	}
}

func TestLent_IsWhatIsAndWhatLooksLikeACredential(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"X-Api-Key", "k"}: true, {"x-api-key", ""}: false, {"OpenAI-Beta", "assistants=v2"}: false, {"HTTP-Referer", "https://app.example.com/page1"}: false,
		{"X-Title", "My App 1"}: false, {"Anthropic-Version", "2023-06-01"}: false, {"X-Acme", "Bearer abc12345"}: true, {"X-Acme", "sk-proj-abcdef"}: true,
		{"X-Acme", "0123456789abcdef0123456789abcdef"}: true, {"X-Acme-Tenant-Id", "0b5c9a2e-5a3b-4e7e-8f5e-2f3f9d3f8a11"}: false,
		{"Sec-WebSocket-Protocol", "realtime"}: false, {"Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.k"}: true,
		{"OpenAI-Organization", "org-0123456789abcdefghij"}: false, {"User-Agent", "acme/1.0-0123456789abcdefghij"}: false,
	} {
		if got := IsLent(pair[0], pair[1]); got != want {
			t.Errorf("%s: %s: got %v", pair[0], pair[1], got)
		}
	}
	for pair, want := range map[[2]string]bool{
		{"api-version", "2024-10-21-preview-0123456"}: false, {"api-version", "1"}: false, {"key", "k"}: true, {"code", "k"}: true, {"max_tokens", "4096"}: false, {"x", "y"}: false,
	} {
		if got := IsLentParameter(pair[0], pair[1]); got != want {
			t.Errorf("?%s=%s: got %v", pair[0], pair[1], got)
		}
	}
}

// FuzzQuery holds Pairs and WithoutParameters to each other: what is left has none of what
// was dropped, and nothing panics.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{"key=a&b=c", "%6bey=1;a", "&&;;", "a=%zz&KEY", "key=%"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		left := WithoutParameters(query, func(p Pair) bool { return Parameter(p.Name) == Proof })
		Pairs(left, func(p Pair) bool {
			if Parameter(p.Name) == Proof {
				t.Errorf("%q is left of %q", left, query)
			}
			return true
		})
		_ = Mask(query)
		_ = Secrets(http.Header{"Cookie": {query}, "Authorization": {query}, "Sec-Websocket-Protocol": {query}}, query)
		_ = fmt.Sprint(IsLent(query, query))
	})
}
