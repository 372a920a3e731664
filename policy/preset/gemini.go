package preset

import "strings"

// gemini keeps Google's own methods, which have a colon in their last segment
// (/v1/models/NAME:generateContent, ai.google.dev/api), apart from OpenAI's paths,
// which may begin with /v1 too.
func gemini(p *Preset, path, _ string) Call {
	last := path[strings.LastIndexByte(path, '/')+1:]
	if p.base != "" && strings.Contains(last, ":") {
		return Call{Path: path}
	}
	return Call{Path: p.join(path)}
}
