package trace

import (
	"cmp"

	"outrigger/policy/endpoint"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// operationOf names what a call has a model do, in the words of gen_ai.operation.name; "" if
// the conventions have no word for it.
func operationOf(c *call.Call) string {
	switch c.Endpoint.Name {
	case "embeddings":
		return "embeddings"
	case "completions":
		return "text_completion"
	case "generateContent", "streamGenerateContent":
		return "generate_content"
	case "chat.completions", "responses", "messages":
		if c.Endpoint.Effect == endpoint.Read { // a list of stored ones
			return ""
		}
		return "chat"
	}
	return ""
}

// providers are the values of gen_ai.provider.name that the conventions have, for presets
// with another name. A name that they do not have may be used as it is.
var providers = map[string]string{
	"azure":          "azure.ai.openai",
	"bedrock":        "aws.bedrock",
	"bedrock-mantle": "aws.bedrock",
	"gemini":         "gcp.gemini",
	"mistral":        "mistral_ai",
	"vertex":         "gcp.vertex_ai",
	"xai":            "x_ai",
}

// providerOf names who is asked. Where the preset is not known, the operator's own name for
// the upstream says most.
func providerOf(s observe.Sending) string {
	return cmp.Or(providers[s.Provider], s.Provider, s.Lane)
}
