package proxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"outrigger/internal/values"
	"outrigger/proxy/carrier"
	"outrigger/proxy/settings"
)

// shown is one answer of policy/preset's testdata, as a provider documents it.
type shown struct {
	Provider, Case, Path, Body, Outcome string

	Status  int
	Headers map[string]string
}

func providersAnswers(t *testing.T) []shown {
	t.Helper()
	data, err := os.ReadFile("../policy/preset/testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var a shown
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// sentTo is what a provider gets.
type sentTo struct{ host, path, query, authorization, apiKey, xAPIKey, googKey, version string }

// providerCalls has, for each preset, the one line of its configuration and what a
// call becomes.
var providerCalls = map[string]struct {
	url    string
	path   string        // of the app's call
	query  settings.Pair // configured
	wanted sentTo
}{
	"openai":             {"https://api.openai.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.openai.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"azure":              {"https://name.openai.azure.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "name.openai.azure.com", path: "/openai/v1/chat/completions", apiKey: "own-key"}},
	"aiand":              {"https://api.aiand.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.aiand.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"openrouter":         {"https://openrouter.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "openrouter.ai", path: "/api/v1/chat/completions", authorization: "Bearer own-key"}},
	"groq":               {"https://api.groq.com/openai/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.groq.com", path: "/openai/v1/chat/completions", authorization: "Bearer own-key"}},
	"mistral":            {"https://api.mistral.ai/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.mistral.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"deepseek":           {"https://api.deepseek.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.deepseek.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"together":           {"https://api.together.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.together.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"fireworks":          {"https://api.fireworks.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.fireworks.ai", path: "/inference/v1/chat/completions", authorization: "Bearer own-key"}},
	"gemini":             {"https://generativelanguage.googleapis.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "generativelanguage.googleapis.com", path: "/v1beta/openai/chat/completions", authorization: "Bearer own-key"}},
	"anthropic":          {"https://api.anthropic.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.anthropic.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"xai":                {"https://api.x.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.x.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"dashscope":          {"https://dashscope.aliyuncs.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "dashscope.aliyuncs.com", path: "/compatible-mode/v1/chat/completions", authorization: "Bearer own-key"}},
	"bedrock":            {"https://bedrock-runtime.us-east-1.amazonaws.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "bedrock-runtime.us-east-1.amazonaws.com", path: "/openai/v1/chat/completions", authorization: "Bearer own-key"}},
	"bedrock-mantle":     {"https://bedrock-mantle.us-east-1.api.aws/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "bedrock-mantle.us-east-1.api.aws", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"vertex":             {"https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi", "/v1/chat/completions", settings.Pair{}, sentTo{host: "aiplatform.googleapis.com", path: "/v1/projects/p/locations/global/endpoints/openapi/chat/completions", authorization: "Bearer own-key"}},
	"cloudflare":         {"https://api.cloudflare.com/client/v4/accounts/a/ai/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.cloudflare.com", path: "/client/v4/accounts/a/ai/v1/chat/completions", authorization: "Bearer own-key"}},
	"cloudflare-gateway": {"https://gateway.ai.cloudflare.com/v1/a/g/compat", "/v1/chat/completions", settings.Pair{}, sentTo{host: "gateway.ai.cloudflare.com", path: "/v1/a/g/compat/chat/completions", authorization: "Bearer own-key"}},
	"cerebras":           {"https://api.cerebras.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.cerebras.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"sambanova":          {"https://api.sambanova.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.sambanova.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"nvidia":             {"https://integrate.api.nvidia.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "integrate.api.nvidia.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"huggingface":        {"https://router.huggingface.co", "/v1/chat/completions", settings.Pair{}, sentTo{host: "router.huggingface.co", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"github":             {"https://models.github.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "models.github.ai", path: "/inference/chat/completions", authorization: "Bearer own-key"}},
	"cohere":             {"https://api.cohere.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.cohere.ai", path: "/compatibility/v1/chat/completions", authorization: "Bearer own-key"}},
	"perplexity":         {"https://api.perplexity.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.perplexity.ai", path: "/chat/completions", authorization: "Bearer own-key"}},
	"moonshot":           {"https://api.moonshot.ai/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.moonshot.ai", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"zhipu":              {"https://api.z.ai", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.z.ai", path: "/api/paas/v4/chat/completions", authorization: "Bearer own-key"}},
	"siliconflow":        {"https://api.siliconflow.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.siliconflow.com", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"volcengine":         {"https://ark.cn-beijing.volces.com", "/v1/chat/completions", settings.Pair{}, sentTo{host: "ark.cn-beijing.volces.com", path: "/api/v3/chat/completions", authorization: "Bearer own-key"}},
	"minimax":            {"https://api.minimax.io/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "api.minimax.io", path: "/v1/chat/completions", authorization: "Bearer own-key"}},
	"local":              {"http://192.168.1.7:11434/v1", "/v1/chat/completions", settings.Pair{}, sentTo{host: "192.168.1.7:11434", path: "/v1/chat/completions", authorization: "Bearer own-key"}},

	"azure, dated": {
		"https://name.openai.azure.com", "/v1/chat/completions",
		settings.Pair{Name: "api-version", Value: "2024-06-01"},
		sentTo{host: "name.openai.azure.com", path: "/openai/deployments/gpt-4o-mini/chat/completions", query: "api-version=2024-06-01", apiKey: "own-key"},
	},
	"azure, deployment in the URL": {
		"https://name.cognitiveservices.azure.com/openai/deployments/four", "/v1/chat/completions",
		settings.Pair{},
		sentTo{host: "name.cognitiveservices.azure.com", path: "/openai/deployments/four/chat/completions", query: "api-version=2024-10-21", apiKey: "own-key"},
	},
	"azure, model inference": {
		"https://name.services.ai.azure.com/models", "/v1/chat/completions?a=b",
		settings.Pair{},
		sentTo{host: "name.services.ai.azure.com", path: "/models/chat/completions", query: "a=b&api-version=2024-05-01-preview", apiKey: "own-key"},
	},
	"azure, the caller's version": {
		"https://name.openai.azure.com/openai/deployments/four", "/v1/embeddings?api-version=2023-05-15",
		settings.Pair{},
		sentTo{host: "name.openai.azure.com", path: "/openai/deployments/four/embeddings", query: "api-version=2023-05-15", apiKey: "own-key"},
	},
	"gemini, native": {
		"https://generativelanguage.googleapis.com", "/v1beta/models/m:generateContent",
		settings.Pair{},
		sentTo{host: "generativelanguage.googleapis.com", path: "/v1beta/models/m:generateContent", googKey: "own-key"},
	},
	"anthropic, native": {
		"https://api.anthropic.com", "/v1/messages",
		settings.Pair{},
		sentTo{host: "api.anthropic.com", path: "/v1/messages", xAPIKey: "own-key", version: "2023-06-01"},
	},
}

// asked returns an upstream that notes what it got before answer answers.
func asked(got *sentTo, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		h := r.Header
		*got = sentTo{r.Host, r.URL.EscapedPath(), r.URL.RawQuery, h.Get("Authorization"), h.Get("Api-Key"), h.Get("X-Api-Key"), h.Get("X-Goog-Api-Key"), h.Get("Anthropic-Version")}
		answer(w, r)
	}
}

// newProviderRig starts a rig whose upstream passes for the provider at address.
func newProviderRig(t *testing.T, address string, script func(http.ResponseWriter, *http.Request, int), edits ...func(*settings.Upstream)) *rig {
	t.Helper()
	g := newRig(t, script, provided(t, address, edits))
	g.provide(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, g.upstream.Listener.Addr().String())
	})
	return g
}

// newProviderBubble is newProviderRig inside of a bubble.
func newProviderBubble(t *testing.T, address string, script func(http.ResponseWriter, *http.Request, int)) *rig {
	t.Helper()
	g := newBubble(t, script, provided(t, address, nil))
	g.provide(g.behind.dial)
	return g
}

// provided is a configuration whose upstream is at address, without retries.
func provided(t *testing.T, address string, edits []func(*settings.Upstream)) func(*settings.Config) {
	return func(c *settings.Config) {
		u := &c.Upstreams[0]
		var err error
		if u.URL, err = url.Parse(address); err != nil {
			t.Fatal(err)
		}
		u.APIKey = values.NewSecret("own-key")
		for _, edit := range edits {
			edit(u)
		}
		c.Retry.Max = 0
	}
}

// provide makes dial the way to each upstream, wherever it is said to be.
func (g *rig) provide(dial dialer) {
	for _, u := range g.proxy.gen().Upstreams {
		transport := &http.Transport{DialContext: dial}
		g.t.Cleanup(transport.CloseIdleConnections)
		u.Pooled, u.Fresh = plaintext{transport}, plaintext{transport}
	}
}

// plaintext sends https requests without TLS, with the host that they are for.
type plaintext struct{ http.RoundTripper }

func (p plaintext) RoundTrip(r *http.Request) (*http.Response, error) {
	address := *r.URL
	address.Scheme = "http"
	plain := r.WithContext(r.Context())
	plain.URL = &address
	return p.RoundTripper.RoundTrip(plain)
}

func TestEachProviderIsCalledAsItsDocumentationSays(t *testing.T) {
	for name, tt := range providerCalls {
		t.Run(name, func(t *testing.T) {
			var got sentTo
			g := newProviderRig(t, tt.url, asked(&got, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }), func(u *settings.Upstream) {
				if tt.query.Name != "" {
					u.Query = []settings.Pair{tt.query}
				}
			})
			if resp, body := g.do(g.request(http.MethodPost, tt.path, chatBody)); resp.StatusCode != http.StatusOK {
				t.Fatalf("status %d: %s", resp.StatusCode, body)
			}
			if got != tt.wanted {
				t.Errorf("got %+v, want %+v", got, tt.wanted)
			}
		})
	}
}

func TestAPresetChangesNothingThatIsSet(t *testing.T) {
	var got sentTo
	ok := asked(&got, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	g := newProviderRig(t, "https://api.anthropic.com/gateway", ok, func(u *settings.Upstream) {
		u.AuthHeader = "authorization"
		u.Headers = []settings.Pair{{Name: "anthropic-version", Value: "2099-01-01"}}
	})
	g.do(g.request(http.MethodPost, "/v1/messages", chatBody))
	if want := (sentTo{host: "api.anthropic.com", path: "/gateway/v1/messages", authorization: "Bearer own-key", version: "2099-01-01"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	g = newProviderRig(t, "https://api.anthropic.com", ok, func(u *settings.Upstream) { u.APIKey = values.Secret{} })
	r := g.request(http.MethodPost, "/v1/messages", chatBody)
	r.Header.Set("Anthropic-Version", "2023-01-01")
	g.do(r)
	if want := (sentTo{host: "api.anthropic.com", path: "/v1/messages", authorization: "Bearer sk-test", version: "2023-01-01"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestARenamedModelIsTheDeployment(t *testing.T) {
	var got sentTo
	g := newProviderRig(t, "https://name.openai.azure.com", asked(&got, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }), func(u *settings.Upstream) {
		u.Query = []settings.Pair{{Name: "api-version", Value: "2024-10-21"}}
		u.Models = []settings.Model{{Requested: "gpt-4o-mini", Sent: "my deployment"}}
	})
	g.chat()
	if want := "/openai/deployments/my%20deployment/chat/completions"; got.path != want {
		t.Errorf("got %s, want %s", got.path, want)
	}
}

// TestEachProvidersAnswersPassThroughTheHandler sends a call of each provider's
// preset, lets it be answered as the provider's documentation shows, and looks at
// what the caller gets and what is noted.
func TestEachProvidersAnswersPassThroughTheHandler(t *testing.T) {
	for _, a := range providersAnswers(t) {
		t.Run(a.Provider+"/"+a.Case, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call, known := providerCalls[a.Provider]
				if !known {
					t.Fatal("no call of that provider")
				}
				var got sentTo
				g := newProviderBubble(t, call.url, asked(&got, func(w http.ResponseWriter, _ *http.Request) {
					for name, value := range a.Headers {
						w.Header().Set(name, value)
					}
					w.WriteHeader(a.Status)
					_, _ = w.Write([]byte(a.Body))
				}))
				r := g.request(http.MethodPost, a.Path, chatBody)
				r.Header.Set("X-Stainless-Read-Timeout", "0.5") // a caller that does not wait for a limit
				resp, body := g.do(r)
				if resp.StatusCode != a.Status || body != a.Body {
					t.Errorf("the caller got %d %s", resp.StatusCode, body)
				}
				for name, value := range a.Headers {
					if resp.Header.Get(name) != value {
						t.Errorf("%s: got %q, want %q", name, resp.Header.Get(name), value)
					}
				}
				if got.host != call.wanted.host {
					t.Errorf("sent to %s", got.host)
				}
				if want := `"outcome":"` + a.Outcome + `"`; !strings.Contains(g.log.String(), want) {
					t.Errorf("the log has no %s: %s", want, g.log)
				}
			})
		})
	}
}

func TestGooglesKeysAreToldApart(t *testing.T) {
	all, seen := carrier.NewCredentials(nil), map[carrier.Credential]bool{}
	for _, key := range []string{"", "AIza-one", "AIza-two"} {
		seen[all.Payer(&http.Request{Header: http.Header{"X-Goog-Api-Key": {key}}, URL: &url.URL{}})] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d credentials, want 3", len(seen))
	}
}
