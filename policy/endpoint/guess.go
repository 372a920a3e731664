package endpoint

import "strings"

// APIs are served under bases that nobody listed: Open WebUI's /api, gateways'
// …/compat, Vertex' …/endpoints/openapi, model runners' /engines/v1. There a POST is known by
// its last segments and its body's shape together: neither is enough alone
// (open-webui/open-webui#16377, agentgateway/agentgateway#1500).

// apiWords are segments before which a path of one word is that of an API; a version
// (v1, v1beta) is one too. Elsewhere the word may mean anything: /courses/7/completions,
// /chats/7/messages.
var apiWords = map[string]bool{
	"openai": true, "anthropic": true, "claude": true, "compat": true, "compatible": true,
	"openapi": true, "inference": true, "api": true, "llm": true,
	"gateway": true, "gw": true,
}

// names are segments before one that names the model: Azure's, and OpenAI's first API
// (/v1/engines/davinci/completions).
var names = map[string]bool{"deployments": true, "engines": true}

// guess returns the row that a POST to path with a body of this shape addresses under a
// base that is not listed, or nil. The longest end of the path that any row lists decides: /x/threads/t/messages is
// a thread's.
func guess(path string, m Members) *row {
	path, _, _ = strings.Cut(path, "?")
	var before, segment string
	for {
		before = segment
		if segment, path = cut(path); segment == "" {
			return nil
		}
		r := lookup(path)
		if r == nil || r.family {
			continue
		}
		want, deployed := r.shape, names[before]
		if deployed {
			want &^= HasModel
		}
		if r.shape == 0 || m&want != want {
			return nil
		}
		if strings.Contains(r.path, "/") || deployed || apiWords[segment] || isVersion(segment) {
			return r
		}
		return nil
	}
}

// isVersion reports whether a segment is a version as APIs have it: v1, v1beta, v2.1.
func isVersion(segment string) bool {
	return len(segment) > 1 && segment[0] == 'v' && segment[1] >= '0' && segment[1] <= '9'
}
