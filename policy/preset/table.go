package preset

import "strings"

// row is one provider.
type row struct {
	name string
	// hosts are names, or the ends of names when they begin with a dot.
	hosts []string
	// bases are where its APIs begin, the usual one first.
	bases []string
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
}

// providerOf returns the row of a host, which is in lower case, or nil.
func providerOf(host string) *row {
	for i := range providers {
		for _, known := range providers[i].hosts {
			if host == known || known[0] == '.' && strings.HasSuffix(host, known) {
				return &providers[i]
			}
		}
	}
	return nil
}

// Names returns the names of all presets.
func Names() []string {
	names := []string{"azure"}
	for i := range providers {
		names = append(names, providers[i].name)
	}
	return names
}
