package preset

import "testing"

// call makes the call of one request to one upstream.
func call(u Upstream, path, model string) Call {
	p := Of(u)
	return p.Call(path, model)
}

func equal(t *testing.T, what string, got, want Call) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// providersAsDocumented has, for each provider, every way in which its URL is
// written, and where its documentation has chat completions and models.
var providersAsDocumented = map[string]struct {
	name  string
	hosts []string
	paths []string // of the URL
	base  string
}{
	"OpenAI":         {"openai", []string{"api.openai.com", "API.OpenAI.com", "api.openai.com.", "eu.api.openai.com"}, []string{"", "/", "/v1", "/v1/"}, "/v1"},
	"aiand":          {"aiand", []string{"api.aiand.com"}, []string{"", "/v1"}, "/v1"},
	"OpenRouter":     {"openrouter", []string{"openrouter.ai"}, []string{"", "/api", "/api/v1", "/api/v1/"}, "/api/v1"},
	"Groq":           {"groq", []string{"api.groq.com"}, []string{"", "/openai", "/openai/v1"}, "/openai/v1"},
	"Mistral":        {"mistral", []string{"api.mistral.ai"}, []string{"", "/v1"}, "/v1"},
	"DeepSeek":       {"deepseek", []string{"api.deepseek.com"}, []string{"", "/v1"}, "/v1"},
	"DeepSeek, beta": {"deepseek", []string{"api.deepseek.com"}, []string{"/beta"}, "/beta"},
	"Together":       {"together", []string{"api.together.ai", "api.together.xyz"}, []string{"", "/v1"}, "/v1"},
	"Fireworks":      {"fireworks", []string{"api.fireworks.ai", "us.api.fireworks.ai"}, []string{"", "/inference", "/inference/v1"}, "/inference/v1"},
	"Gemini":         {"gemini", []string{"generativelanguage.googleapis.com"}, []string{"", "/v1beta", "/v1beta/openai", "/v1beta/openai/"}, "/v1beta/openai"},
	"Anthropic":      {"anthropic", []string{"api.anthropic.com"}, []string{"", "/v1", "/v1/"}, "/v1"},
	"DashScope":      {"dashscope", []string{"dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"}, []string{"", "/compatible-mode", "/compatible-mode/v1"}, "/compatible-mode/v1"},
	"Bedrock":        {"bedrock", []string{"bedrock-runtime.us-east-1.amazonaws.com"}, []string{"", "/openai", "/openai/v1"}, "/openai/v1"},
	"Bedrock Mantle": {"bedrock-mantle", []string{"bedrock-mantle.eu-west-1.api.aws"}, []string{"", "/v1"}, "/v1"},
	"Vertex":         {"vertex", []string{"aiplatform.googleapis.com", "europe-west4-aiplatform.googleapis.com"}, []string{"/v1/projects/p/locations/l/endpoints/openapi"}, "/v1/projects/p/locations/l/endpoints/openapi"},
	"Cloudflare":     {"cloudflare", []string{"api.cloudflare.com"}, []string{"/client/v4/accounts/a/ai/v1"}, "/client/v4/accounts/a/ai/v1"},
	"its gateway":    {"cloudflare-gateway", []string{"gateway.ai.cloudflare.com"}, []string{"/v1/a/g/compat", "/v1/a/g/compat/"}, "/v1/a/g/compat"},
	"Cerebras":       {"cerebras", []string{"api.cerebras.ai"}, []string{"", "/v1"}, "/v1"},
	"SambaNova":      {"sambanova", []string{"api.sambanova.ai"}, []string{"", "/v1"}, "/v1"},
	"NVIDIA":         {"nvidia", []string{"integrate.api.nvidia.com"}, []string{"", "/v1"}, "/v1"},
	"Hugging Face":   {"huggingface", []string{"router.huggingface.co"}, []string{"", "/v1"}, "/v1"},
	"GitHub":         {"github", []string{"models.github.ai"}, []string{"", "/inference"}, "/inference"},
	"GitHub, an org": {"github", []string{"models.github.ai"}, []string{"/orgs/o/inference"}, "/orgs/o/inference"},
	"Cohere":         {"cohere", []string{"api.cohere.ai", "api.cohere.com"}, []string{"", "/compatibility", "/compatibility/v1"}, "/compatibility/v1"},
	"Moonshot":       {"moonshot", []string{"api.moonshot.ai", "api.moonshot.cn"}, []string{"", "/v1"}, "/v1"},
	"Zhipu":          {"zhipu", []string{"api.z.ai", "open.bigmodel.cn"}, []string{"", "/api", "/api/paas/v4"}, "/api/paas/v4"},
	"Zhipu, coding":  {"zhipu", []string{"api.z.ai"}, []string{"/api/coding", "/api/coding/paas/v4"}, "/api/coding/paas/v4"},
	"SiliconFlow":    {"siliconflow", []string{"api.siliconflow.com", "api.siliconflow.cn"}, []string{"", "/v1"}, "/v1"},
	"Volcengine":     {"volcengine", []string{"ark.cn-beijing.volces.com", "ark.ap-southeast.bytepluses.com"}, []string{"", "/api/v3"}, "/api/v3"},
	"MiniMax":        {"minimax", []string{"api.minimax.io", "api.minimaxi.com"}, []string{"", "/v1"}, "/v1"},
	"xAI":            {"xai", []string{"api.x.ai", "eu-west-1.api.x.ai"}, []string{"", "/v1"}, "/v1"},
}

func TestARequestFindsEachProviderHoweverItsURLIsWritten(t *testing.T) {
	for what, tt := range providersAsDocumented {
		for _, host := range tt.hosts {
			for _, path := range tt.paths {
				u := Upstream{Host: host, Path: path}
				if got := Of(u).Name; got != tt.name {
					t.Errorf("%s at %s: got preset %q, want %q", what, host, got, tt.name)
				}
				const chat = "/chat/completions"
				equal(t, what+" "+host+path, call(u, "/v1"+chat, "m"), Call{Path: tt.base + chat})
				equal(t, what+" by its own SDK "+host+path, call(u, tt.base+chat, "m"), Call{Path: tt.base + chat})
			}
		}
	}
}

func TestAURLWithTheWholeBaseServesAppsThatSendNoVersion(t *testing.T) {
	for what, tt := range providersAsDocumented {
		u := Upstream{Host: tt.hosts[0], Path: tt.base}
		equal(t, what, call(u, "/chat/completions", "m"), Call{Path: tt.base + "/chat/completions"})
	}
}

func TestAnUnknownHostIsPassedThrough(t *testing.T) {
	for _, host := range []string{
		"localhost", "127.0.0.1", "10.0.0.7", "::1", "llm.example", "api.openai.com.example",
		"notopenrouter.ai", "router.huggingface.co.example", "api.cohere.example", "openai.azure.com", "azure.com", "x.openai.azure.com.example", "apix.ai", "",
	} {
		for _, tt := range []struct{ given, path, want string }{
			{"", "/v1/chat/completions", "/v1/chat/completions"},
			{"/", "/v1/chat/completions", "/v1/chat/completions"},
			{"", "/chat/completions", "/chat/completions"},
			{"/v1", "/v1/chat/completions", "/v1/chat/completions"},
			{"/v1/", "/v1/chat/completions", "/v1/chat/completions"},
			{"/v1", "/v1", "/v1"},
			{"/v1", "/chat/completions", "/v1/chat/completions"},
			{"/v1", "/v1beta/models", "/v1/v1beta/models"},
			{"/gateway/v1", "/v1/models", "/gateway/v1/models"},
			{"/openai", "/v1/models", "/openai/v1/models"},
			{"/openai", "/openai/x", "/openai/openai/x"},
			{"/a%2Fb", "/v1/files/%2e", "/a%2Fb/v1/files/%2e"},
			{"/v2", "/v1/models", "/v2/v1/models"},
			{"/xv1", "/v1/models", "/xv1/v1/models"},
			{"/a", "*", "/a/*"},
			{"", "", "/"},
		} {
			u := Upstream{Host: host, Path: tt.given, APIVersion: "2024-10-21"}
			if got := Of(u).Name; got != "" {
				t.Errorf("%s: preset %q", host, got)
			}
			equal(t, host+tt.given+" "+tt.path, call(u, tt.path, "m"), Call{Path: tt.want})
		}
	}
}

func TestTheZeroPresetPassesPathsOn(t *testing.T) {
	var p Preset
	equal(t, "zero", p.Call("/v1/models", ""), Call{Path: "/v1/models"})
}

func TestAPathThatIsNotTheProvidersIsKept(t *testing.T) {
	for _, tt := range []struct{ host, given, path, want string }{
		{"api.groq.com", "/proxy", "/v1/models", "/proxy/v1/models"},
		{"api.groq.com", "/proxy/v1", "/v1/models", "/proxy/v1/models"},
		{"api.openai.com", "/v2", "/v1/models", "/v2/v1/models"},
		{"openrouter.ai", "/api/v1/extra", "/v1/models", "/api/v1/extra/v1/models"},
		{"openrouter.ai", "", "/api/frontend", "/api/frontend"},
		{"openrouter.ai", "", "/apis", "/apis"},
		{"openrouter.ai", "/api/v1", "/apis", "/api/v1/apis"},
		{"api.openai.com", "", "/chat/completions", "/chat/completions"},
		{"api.openai.com", "", "/dashboard", "/dashboard"},
	} {
		equal(t, tt.host+tt.given+" "+tt.path, call(Upstream{Host: tt.host, Path: tt.given}, tt.path, ""), Call{Path: tt.want})
	}
}

func TestPerplexitysChatHasNoVersion(t *testing.T) {
	for _, given := range []string{"", "/v1"} {
		u := Upstream{Host: "api.perplexity.ai", Path: given}
		equal(t, given, call(u, "/v1/chat/completions", "m"), Call{Path: "/chat/completions"})
		equal(t, given, call(u, "/chat/completions", "m"), Call{Path: "/chat/completions"})
		equal(t, given, call(u, "/v1/responses", "m"), Call{Path: "/v1/responses"})
	}
	equal(t, "another path", call(Upstream{Host: "api.perplexity.ai", Path: "/proxy"}, "/v1/chat/completions", "m"), Call{Path: "/proxy/v1/chat/completions"})
}

func TestOnlyAHostOfARegionIsTheProviders(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock-runtime.us-east-1.amazonaws.com":      "bedrock",
		"bedrock-runtime..amazonaws.com":               "",
		"bedrock-runtime.amazonaws.com":                "",
		"bedrock-runtime.a.b.amazonaws.com":            "",
		"bedrock-runtime.us-east-1.amazonaws.com.evil": "",
		"x.bedrock-runtime.us-east-1.amazonaws.com":    "",
		"-aiplatform.googleapis.com":                   "",
		"dashscope-.aliyuncs.com":                      "",
		"ark.cn-beijing.volces.com":                    "volcengine",
	} {
		if got := Of(Upstream{Host: host}).Name; got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

func TestGooglesOwnMethodsAreLeftAlone(t *testing.T) {
	for _, given := range []string{"", "/v1beta", "/v1beta/openai"} {
		u := Upstream{Host: "generativelanguage.googleapis.com", Path: given}
		for path, want := range map[string]string{
			"/v1beta/models/gemini-2.5-flash:generateContent": "own",
			"/v1/models/gemini-2.5-flash:generateContent":     "own",
			"/v1beta/models":              "own",
			"/v1beta/cachedContents/abc":  "own",
			"/v1/models":                  "/v1beta/openai/models",
			"/v1/models/gemini-2.5-flash": "/v1beta/openai/models/gemini-2.5-flash",
			"/v1/embeddings":              "/v1beta/openai/embeddings",
		} {
			c := Call{Path: want}
			if want == "own" {
				c = Call{Path: path, AuthHeader: "X-Goog-Api-Key"}
			}
			equal(t, given+" "+path, call(u, path, ""), c)
		}
	}
}

func TestAnthropicTakesTheKeyAsEachOfItsAPIsWantsIt(t *testing.T) {
	native := func(path string) Call {
		return Call{Path: path, AuthHeader: "X-Api-Key", Header: Pair{"Anthropic-Version", "2023-06-01"}}
	}
	for _, given := range []string{"", "/v1"} {
		u := Upstream{Host: "api.anthropic.com", Path: given}
		equal(t, "chat", call(u, "/v1/chat/completions", "m"), Call{Path: "/v1/chat/completions"})
		equal(t, "chat/", call(u, "/v1/chat/completions/", "m"), Call{Path: "/v1/chat/completions/"})
		for _, path := range []string{"/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches", "/v1/models", "/v1/files"} {
			equal(t, path, call(u, path, "m"), native(path))
		}
	}
	for _, given := range []string{"/anthropic", "/anthropic/v1"} {
		u := Upstream{Host: "api.deepseek.com", Path: given}
		equal(t, "DeepSeek "+given, call(u, "/v1/messages", "m"), native("/anthropic/v1/messages"))
		u.Host = "name.services.ai.azure.com"
		equal(t, "Azure "+given, call(u, "/v1/messages", "m"), native("/anthropic/v1/messages"))
	}
}

func FuzzCall(f *testing.F) {
	for _, tt := range providersAsDocumented {
		f.Add(tt.hosts[0], tt.paths[0], "", "/v1/chat/completions", "m")
	}
	f.Add("n.openai.azure.com", "", "2024-10-21", "/v1/chat/completions", "../../x?y#z")
	f.Fuzz(func(t *testing.T, host, given, version, path, model string) {
		if given != "" && given[0] != '/' || path == "" || path[0] != '/' {
			t.Skip("not what net/url gives")
		}
		c := call(Upstream{Host: host, Path: given, APIVersion: version}, path, model)
		if c.Path == "" || c.Path[0] != '/' {
			t.Errorf("path %q", c.Path)
		}
	})
}
