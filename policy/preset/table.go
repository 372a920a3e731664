package preset

import "strings"

// row is one provider.
type row struct {
	name string
	// hosts are names, or the ends of names when they begin with a dot. A star stands for a region.
	hosts []string
	// bases are where its APIs begin, the usual one first.
	bases []string
	// tails are the ends of URLs after which the provider's paths have no version: "/compat" is followed by /chat/completions.
	tails []string
	call  func(p *Preset, path, model string) Call // nil: nothing but the path
}

// providers has what differs from provider to provider. Every one of them takes a
// key as Authorization: Bearer unless its call says otherwise.
var providers = []row{
	// platform.openai.com/docs/api-reference/introduction
	{name: "openai", hosts: []string{"api.openai.com", ".api.openai.com"}, bases: []string{"/v1"}},
	// docs.aiand.com: api.aiand.com/v1/chat/completions, /v1/responses, /v1/messages
	{name: "aiand", hosts: []string{"api.aiand.com"}, bases: []string{"/v1"}},
	// openrouter.ai/docs/quickstart: openrouter.ai/api/v1
	{name: "openrouter", hosts: []string{"openrouter.ai"}, bases: []string{"/api/v1"}},
	// console.groq.com/docs/openai: api.groq.com/openai/v1
	{name: "groq", hosts: []string{"api.groq.com"}, bases: []string{"/openai/v1"}},
	// docs.mistral.ai/api: api.mistral.ai/v1
	{name: "mistral", hosts: []string{"api.mistral.ai"}, bases: []string{"/v1"}},
	// api-docs.deepseek.com: api.deepseek.com, with or without /v1; /beta for its beta
	// features (guides/fim_completion); /anthropic for the Messages API (guides/anthropic_api)
	{name: "deepseek", hosts: []string{"api.deepseek.com"}, bases: []string{"/v1", "/beta", "/anthropic/v1"}, call: anthropicBelow},
	// docs.together.ai/docs/inference/openai-compatibility: api.together.ai/v1, formerly api.together.xyz
	{name: "together", hosts: []string{"api.together.ai", "api.together.xyz"}, bases: []string{"/v1"}},
	// docs.fireworks.ai/tools-sdks/openai-compatibility: api.fireworks.ai/inference/v1, and
	// us.api.fireworks.ai
	{name: "fireworks", hosts: []string{"api.fireworks.ai", ".api.fireworks.ai"}, bases: []string{"/inference/v1"}},
	// ai.google.dev/gemini-api/docs/openai: generativelanguage.googleapis.com/v1beta/openai/
	{name: "gemini", hosts: []string{"generativelanguage.googleapis.com"}, bases: []string{"/v1beta/openai"}, call: gemini},
	// platform.claude.com/docs/en/api/overview, and api/openai-sdk for /v1/chat/completions
	{name: "anthropic", hosts: []string{"api.anthropic.com"}, bases: []string{"/v1"}, call: anthropic},
	// docs.x.ai/docs/api-reference: api.x.ai/v1, and regional names before it
	{name: "xai", hosts: []string{"api.x.ai", ".api.x.ai"}, bases: []string{"/v1"}},
	// help.aliyun.com/zh/model-studio/compatibility-of-openai-with-dashscope, and its international hosts
	{name: "dashscope", hosts: []string{"dashscope.aliyuncs.com", "dashscope-*.aliyuncs.com"}, bases: []string{"/compatible-mode/v1"}},
	// docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html: /openai/v1 for the runtime, /v1 for mantle
	{name: "bedrock", hosts: []string{"bedrock-runtime.*.amazonaws.com"}, bases: []string{"/openai/v1"}},
	{name: "bedrock-mantle", hosts: []string{"bedrock-mantle.*.api.aws"}, bases: []string{"/v1", "/openai/v1", "/anthropic/v1"}, call: anthropicBelow},
	// cloud.google.com/vertex-ai/generative-ai/docs/migrate/openai/overview: …/projects/P/locations/L/endpoints/openapi
	{name: "vertex", hosts: []string{"aiplatform.googleapis.com", "*-aiplatform.googleapis.com"}, tails: []string{"/endpoints/openapi"}},
	// developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility: /client/v4/accounts/ID/ai/v1
	{name: "cloudflare", hosts: []string{"api.cloudflare.com"}, tails: []string{"/ai/v1"}},
	// developers.cloudflare.com/ai-gateway/usage/chat-completion: /v1/ACCOUNT/GATEWAY/compat
	{name: "cloudflare-gateway", hosts: []string{"gateway.ai.cloudflare.com"}, tails: []string{"/compat", "/openai", "/openrouter", "/grok", "/deepseek"}},
	// inference-docs.cerebras.ai/resources/openai
	{name: "cerebras", hosts: []string{"api.cerebras.ai"}, bases: []string{"/v1"}},
	// docs.sambanova.ai/docs/en/features/openai-compatibility
	{name: "sambanova", hosts: []string{"api.sambanova.ai"}, bases: []string{"/v1"}},
	// docs.api.nvidia.com/nim/reference/llm-apis
	{name: "nvidia", hosts: []string{"integrate.api.nvidia.com"}, bases: []string{"/v1"}},
	// huggingface.co/docs/inference-providers/index
	{name: "huggingface", hosts: []string{"router.huggingface.co"}, bases: []string{"/v1"}},
	// docs.github.com/en/rest/models/inference: /inference/chat/completions, or /orgs/ORG/inference/…
	{name: "github", hosts: []string{"models.github.ai"}, bases: []string{"/inference"}, tails: []string{"/inference"}},
	// docs.cohere.com/docs/compatibility-api
	{name: "cohere", hosts: []string{"api.cohere.ai", "api.cohere.com"}, bases: []string{"/compatibility/v1"}},
	// docs.perplexity.ai: /chat/completions without a version, /v1/responses and others with it
	{name: "perplexity", hosts: []string{"api.perplexity.ai"}, call: perplexity},
	// platform.moonshot.ai/docs/api/chat, and platform.moonshot.cn
	{name: "moonshot", hosts: []string{"api.moonshot.ai", "api.moonshot.cn"}, bases: []string{"/v1"}},
	// docs.z.ai/api-reference/introduction, docs.bigmodel.cn; /api/coding for the Coding Plan
	{name: "zhipu", hosts: []string{"api.z.ai", "open.bigmodel.cn"}, bases: []string{"/api/paas/v4", "/api/coding/paas/v4"}},
	// docs.siliconflow.com/en/api-reference/chat-completions/chat-completions, and docs.siliconflow.cn
	{name: "siliconflow", hosts: []string{"api.siliconflow.com", "api.siliconflow.cn"}, bases: []string{"/v1"}},
	// volcengine.com/docs/82379/1494384: ark.cn-beijing.volces.com/api/v3; BytePlus: docs.byteplus.com/en/docs/ModelArk
	{name: "volcengine", hosts: []string{"ark.*.volces.com", "ark.*.bytepluses.com"}, bases: []string{"/api/v3", "/api/coding/v3"}},
	// platform.minimax.io/docs/api-reference/text-openai-api, and api.minimaxi.com
	{name: "minimax", hosts: []string{"api.minimax.io", "api.minimaxi.com"}, bases: []string{"/v1", "/anthropic/v1"}, call: anthropicBelow},
}

// providerOf returns the row of a host, which is in lower case, or nil.
func providerOf(host string) *row {
	for i := range providers {
		for _, known := range providers[i].hosts {
			if fits(host, known) {
				return &providers[i]
			}
		}
	}
	return nil
}

// fits reports whether a host is the one that a row knows, below it, or the one of a region.
func fits(host, known string) bool {
	if known[0] == '.' {
		return strings.HasSuffix(host, known)
	}
	before, after, star := strings.Cut(known, "*")
	if !star {
		return host == known
	}
	rest, ok := strings.CutPrefix(host, before)
	region, ends := strings.CutSuffix(rest, after)
	return ok && ends && region != "" && !strings.Contains(region, ".")
}

// Names returns the names of all presets.
func Names() []string {
	names := []string{"azure"}
	for i := range providers {
		names = append(names, providers[i].name)
	}
	return names
}
