package preset

import "strings"

// anthropicVersion is the version of the Messages API that every request must
// name. Source: platform.claude.com/docs/en/api/versioning, which knows of no
// later one.
var anthropicVersion = Pair{"Anthropic-Version", "2023-06-01"}

// anthropic knows two APIs at one base: chat completions take a key as OpenAI does
// (docs api/openai-sdk), all else wants X-Api-Key and a version (docs api/overview).
func anthropic(p *Preset, path, _ string) Call {
	c := Call{Path: p.join(path)}
	if strings.HasSuffix(strings.TrimRight(c.Path, "/"), "/chat/completions") {
		return c
	}
	return c.asAnthropic()
}

// anthropicBelow knows a provider that speaks the Messages API below /anthropic.
func anthropicBelow(p *Preset, path, _ string) Call {
	c := Call{Path: p.join(path)}
	if _, ok := below(c.Path, "/anthropic"); ok {
		return c.asAnthropic()
	}
	return c
}

func (c Call) asAnthropic() Call {
	c.AuthHeader, c.Header = "X-Api-Key", anthropicVersion
	return c
}
