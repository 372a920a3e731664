package preset

import (
	"strings"
	"testing"
)

var (
	dated  = Pair{"api-version", "2024-10-21"}
	models = Pair{"api-version", "2024-05-01-preview"}
)

func TestAzureIsCalledAsItsURLAndVersionSay(t *testing.T) {
	tests := map[string]struct {
		given, version string
		path, model    string
		want           string
		query          Pair
	}{
		"a bare URL is the present API":              {"", "", "/v1/chat/completions", "gpt-4o", "/openai/v1/chat/completions", Pair{}},
		"so is one with its path":                    {"/openai/v1", "", "/v1/chat/completions", "gpt-4o", "/openai/v1/chat/completions", Pair{}},
		"and a slash":                                {"/openai/v1/", "", "/v1/responses", "gpt-4o", "/openai/v1/responses", Pair{}},
		"and half of it":                             {"/openai", "", "/v1/files/file-1", "", "/openai/v1/files/file-1", Pair{}},
		"its preview":                                {"", "preview", "/v1/responses", "gpt-4o", "/openai/v1/responses", Pair{}},
		"a URL that says v1 is not overruled":        {"/openai/v1", "2024-10-21", "/v1/responses", "gpt-4o", "/openai/v1/responses", Pair{}},
		"a dated version puts the model in the path": {"", "2024-06-01", "/v1/chat/completions", "gpt-4o", "/openai/deployments/gpt-4o/chat/completions", dated},
		"with half the path":                         {"/openai", "2025-04-01-preview", "/v1/embeddings", "ada", "/openai/deployments/ada/embeddings", dated},
		"files stand beside deployments":             {"", "2024-10-21", "/v1/files", "", "/openai/files", dated},
		"responses too":                              {"", "2025-03-01-preview", "/v1/responses", "gpt-4o", "/openai/responses", dated},
		"and what is below chat":                     {"", "2025-03-01-preview", "/v1/chat/completions/chatcmpl-1", "", "/openai/chat/completions/chatcmpl-1", dated},
		"a slash at the end":                         {"", "2024-10-21", "/v1/chat/completions/", "m", "/openai/deployments/m/chat/completions/", dated},
		"no model":                                   {"", "2024-10-21", "/v1/chat/completions", "", "/openai/chat/completions", dated},
		"a model that is no segment":                 {"", "2024-10-21", "/v1/chat/completions", "..", "/openai/chat/completions", dated},
		"a model with a slash":                       {"", "2024-10-21", "/v1/chat/completions", "a/b?c", "/openai/deployments/a%2Fb%3Fc/chat/completions", dated},
		"a model that would lead up":                 {"", "2024-10-21", "/v1/chat/completions", "a/../b?c", "/openai/chat/completions", dated},
		"by a backslash":                             {"", "2024-10-21", "/v1/chat/completions", `..\..\x`, "/openai/chat/completions", dated},
		"deployments in the URL need no version":     {"/openai/deployments", "", "/v1/chat/completions", "gpt-4o", "/openai/deployments/gpt-4o/chat/completions", dated},
		"a deployment in the URL goes before the model": {
			"/openai/deployments/mine", "", "/v1/audio/transcriptions", "whisper-1", "/openai/deployments/mine/audio/transcriptions", dated,
		},
		"and before another in the path": {
			"/openai/deployments/mine", "", "/openai/deployments/other/chat/completions", "m", "/openai/deployments/mine/chat/completions", dated,
		},
		"however that is written": {
			"/openai/deployments/mine", "", "/OpenAI//%64eployments/other/Embeddings/", "m", "/openai/deployments/mine/embeddings", dated,
		},
		"and before the present API's": {
			"/openai/deployments/mine", "", "/openai/v1/chat/completions", "other", "/openai/deployments/mine/chat/completions", dated,
		},
		"its own path stays": {
			"/openai/deployments/mine", "", "/openai/deployments/mine/audio/speech", "m", "/openai/deployments/mine/audio/speech", dated,
		},
		"what has no deployment stays": {"/openai/deployments/mine", "", "/openai/batches", "", "/openai/batches", dated},
		"and files still beside it":    {"/openai/deployments/mine", "", "/v1/files", "", "/openai/files", dated},
		"Azure's SDK is left alone":    {"", "2024-10-21", "/openai/deployments/x/chat/completions", "m", "/openai/deployments/x/chat/completions", dated},
		"also at the present API":      {"", "", "/openai/deployments/x/chat/completions", "m", "/openai/deployments/x/chat/completions", Pair{}},
		"an app that sends no /v1":     {"/openai", "2024-10-21", "/models", "", "/openai/models", dated},
		"model inference":              {"/models", "", "/v1/chat/completions", "Phi-4", "/models/chat/completions", models},
		"a path that is not Azure's":   {"/gateway", "", "/v1/chat/completions", "m", "/gateway/v1/chat/completions", Pair{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, host := range []string{"NAME.openai.azure.com", "name.services.ai.azure.com", "name.cognitiveservices.azure.com", "name.openai.azure.us"} {
				u := Upstream{Host: host, Path: tt.given, APIVersion: tt.version}
				if got := Of(u).Name; got != "azure" {
					t.Errorf("%s: preset %q", host, got)
				}
				equal(t, host, call(u, tt.path, tt.model), Call{Path: tt.want, AuthHeader: "Api-Key", Query: tt.query})
			}
		})
	}
}

func TestNoModelLeadsOutOfItsDeployment(t *testing.T) {
	u := Upstream{Host: "n.openai.azure.com", APIVersion: "2024-10-21"}
	for _, model := range []string{".", "..", "a/b", "%2e%2e", "..%2f", "?", "#", "\\", "\r\n", " ", "é", "\xff"} {
		path := call(u, "/v1/chat/completions", model).Path
		middle, found := strings.CutPrefix(path, "/openai/deployments/")
		name, _ := strings.CutSuffix(middle, "/chat/completions")
		if !found {
			name = ""
		}
		if strings.ContainsAny(name, "/?#\\\r\n ") || name == "." || name == ".." || found != (name != "") {
			t.Errorf("%q: %s", model, path)
		}
	}
}
