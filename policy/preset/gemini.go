package preset

import "strings"

// gemini keeps Google's own API apart from OpenAI's paths, which may begin with /v1
// too: its methods have a colon in their last segment (/v1/models/NAME:generateContent,
// ai.google.dev/api), and take the key in X-Goog-Api-Key.
func gemini(p *Preset, path, _ string) Call {
	if p.base == "" {
		return plain(p, path, "")
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	if strings.Contains(last, ":") {
		return Call{Path: path, AuthHeader: "X-Goog-Api-Key"}
	}
	c := Call{Path: p.join(path)}
	if _, compatible := below(c.Path, p.base); !compatible {
		c.AuthHeader = "X-Goog-Api-Key"
	}
	return c
}
