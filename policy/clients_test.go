package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

func TestDeadline_KnownFetchLimits(t *testing.T) {
	t.Parallel()
	const node, other = 299 * time.Second, 599 * time.Second
	tests := map[string]struct {
		agent, runtime, sdk string
		want                time.Duration
	}{
		"openai-node":                          {"OpenAI/JS 7.5.0", "node", "7.5.0", node},
		"openai-node for Azure":                {"AzureOpenAI/JS 5.0.1", "node", "5.0.1", node},
		"openai-node with node-fetch":          {"OpenAI/JS 4.104.0", "node", "4.104.0", other},
		"openai-node on Deno":                  {"OpenAI/JS 7.5.0", "deno", "7.5.0", other},
		"openai-node on Bun":                   {"OpenAI/JS 7.5.0", "bun", "7.5.0", other},
		"openai-node of no version":            {"OpenAI/JS dev", "", "", other},
		"the AI SDK on Node":                   {"ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/22", "", "", node},
		"the AI SDK at the edge":               {"ai/7.0.173 ai-sdk-provider-utils/5.0.81 runtime/vercel-edge", "", "", other},
		"@anthropic-ai/sdk":                    {"Anthropic/JS 0.71.2", "node", "0.71.2", node},
		"@anthropic-ai/sdk, the first":         {"Anthropic/JS 0.50.1", "node", "0.50.1", node},
		"@anthropic-ai/sdk, runtime unnamed":   {"Anthropic/JS 0.71.2", "", "", node},
		"@anthropic-ai/sdk, first major":       {"Anthropic/JS 1.0.0", "node", "1.0.0", node},
		"@anthropic-ai/bedrock-sdk":            {"AnthropicBedrock/JS 0.71.2", "node", "0.71.2", node},
		"@anthropic-ai/sdk with node-fetch":    {"Anthropic/JS 0.39.0", "node", "0.39.0", other},
		"@anthropic-ai/sdk on Deno":            {"Anthropic/JS 0.71.2", "deno", "0.71.2", other},
		"@anthropic-ai/sdk of no version":      {"Anthropic/JS x.y", "node", "", other},
		"anthropic-sdk-python":                 {"Anthropic/Python 0.121.0", "CPython", "0.121.0", other},
		"LangChain.js":                         {"langchainjs-openai/1.0.0 (node/v22.1.0; linux; x64)", "node", "6.10.0", node},
		"LangChain.js in double brackets":      {"langchainjs-openai/1.0.0 ((node/v20.18.0; win32; x64))", "node", "5.12.0", node},
		"LangChain.js for Azure":               {"langchainjs-azure-openai/2.0.0 (node/v22.1.0; linux; x64)", "node", "6.10.0", node},
		"LangChain.js for Azure, older":        {"langchainjs-azure-openai-v2", "node", "5.0.0", node},
		"LangChain.js after the app's":         {"my-app/1: langchainjs-azure-openai-v2", "node", "5.0.0", node},
		"LangChain.js, headers taken away":     {"langchainjs-openai/1.0.0 (node/v22.1.0; linux; x64)", "", "", node},
		"LangChain.js on openai-node 4":        {"langchainjs-openai/1.0.0 (node/v20.1.0; linux; x64)", "node", "4.87.3", other},
		"LangChain.js on Deno":                 {"langchainjs-openai/1.0.0 (deno/2.1; linux; x64)", "deno", "6.10.0", other},
		"LangChain.js on Deno, header missing": {"langchainjs-openai/1.0.0 (deno/2.1; linux; x64)", "", "6.10.0", other},
		"LangChain.js at the edge":             {"langchainjs-openai/1.0.0 (vercel-edge)", "", "6.10.0", other},
		"some other app in JavaScript":         {"Other/JS 9.0.0", "node", "9.0.0", other},
		"no agent":                             {"", "node", "6.0.0", other},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := map[string][]string{"User-Agent": {tt.agent}}
			if tt.runtime != "" {
				h["X-Stainless-Runtime"] = []string{tt.runtime}
			}
			if tt.sdk != "" {
				h["X-Stainless-Package-Version"] = []string{tt.sdk}
			}
			o := policy.Operator{Timeout: 10 * time.Minute, Default: true}
			equal(t, "deadline", waitsOf(policy.PatienceOf(o, h, false)), waits{In: tt.want})
		})
	}
}

func TestDeadline_WholeSecondsThatWereCutDown(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	lang := func(name string) []string { return []string{"X-Stainless-Lang", name} }
	agent := func(text string) []string { return []string{"User-Agent", text} }
	tests := map[string]struct {
		client      []string
		name, value string
		may, says   time.Duration
	}{
		"JavaScript, 1.9 s as 1":         {client: lang("js"), value: "1", may: 1900 * ms, says: 900 * ms},
		"Go":                             {client: lang("go"), value: "2", may: 2850 * ms, says: 1800 * ms},
		"Java":                           {client: lang("java"), value: "4", may: 4750 * ms, says: 3600 * ms},
		"Java's read timeout":            {client: lang("java"), name: "X-Stainless-Read-Timeout", value: "1", may: 1900 * ms, says: 900 * ms},
		"Kotlin":                         {client: lang("kotlin"), value: "1", may: 1900 * ms, says: 900 * ms},
		"half a second as 0":             {client: lang("js"), value: "0", may: 950 * ms, says: 599 * time.Second},
		"a fraction was not cut":         {client: lang("js"), value: "1.5", may: 1425 * ms, says: 1350 * ms},
		"9 is the last that may be more": {client: lang("js"), value: "9", may: 9 * time.Second, says: 8100 * ms},
		"10 is what it says":             {client: lang("js"), value: "10", may: 9 * time.Second, says: 9 * time.Second},
		"600 is what it says":            {client: lang("java"), value: "600", may: 599 * time.Second, says: 599 * time.Second},
		"Python announces fractions":     {client: lang("python"), value: "1", may: 950 * ms, says: 900 * ms},
		"nobody in particular":           {value: "1", may: 950 * ms, says: 900 * ms},
		"openai-node by its agent":       {client: agent("OpenAI/JS 6.1.0"), value: "1", may: 1900 * ms, says: 900 * ms},
		"anthropic-sdk-go by its agent":  {client: agent("Anthropic/Go 1.19.0"), value: "1", may: 1900 * ms, says: 900 * ms},
		"openai-java by its agent":       {client: agent("OpenAIClientImpl/Java 4.52.0"), value: "1", may: 1900 * ms, says: 900 * ms},
		"Python by its agent":            {client: agent("AsyncOpenAI/Python 2.52.0"), value: "1", may: 950 * ms, says: 900 * ms},
		"the header goes first":          {client: append(lang("python"), agent("OpenAI/JS 6.1.0")...), value: "1", may: 950 * ms, says: 900 * ms},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.name == "" {
				tt.name = "X-Stainless-Timeout"
			}
			h := header(append(tt.client, tt.name, tt.value)...)
			o := policy.Operator{Timeout: 10 * time.Minute}
			equal(t, "as it may be", waitsOf(policy.PatienceOf(o, h, false)).In, min(tt.may, 599*time.Second))
			if h["User-Agent"] == nil { // Node's own limit is another test's
				equal(t, "early", waitsOf(policy.PatienceOf(o, h, true)).In, tt.says)
			}
		})
	}
}
