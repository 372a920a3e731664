package preset

// perplexity has chat completions without a version, and its newer APIs with one (docs.perplexity.ai, OpenAI
// compatibility). A URL with a path stands for itself.
func perplexity(p *Preset, path, _ string) Call {
	if rest, _ := below(path, version); (p.given == "" || p.given == version) && rest == "/chat/completions" {
		return Call{Path: rest}
	}
	return Call{Path: p.join(path)}
}
