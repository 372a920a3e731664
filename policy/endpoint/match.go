package endpoint

import "strings"

// bases are the paths under which OpenAI-compatible APIs are served; {} stands
// for one segment. Each is the base URL in its provider's own documentation.
var bases = []string{
	"v1",                               // OpenAI, most others
	"v2",                               // Qianfan; vLLM's rerank
	"v1/openai",                        // DeepInfra
	"v1beta/openai",                    // Gemini
	"openai",                           // Azure, with api-version in the query
	"openai/v1",                        // Azure, Groq, Bedrock
	"openai/deployments/{}",            // Azure
	"openai/deployments/{}/extensions", // Azure, on your data
	"api/v1",                           // OpenRouter
	"api/v3",                           // Ark
	"api/paas/v4",                      // Zhipu, z.ai
	"api/coding/paas/v4",               // Zhipu, z.ai
	"beta",                             // DeepSeek
	"anthropic/v1",                     // DeepSeek's Messages API
	"inference/v1",                     // Fireworks
	"compatible-mode/v1",               // DashScope
}

// node is one segment of the trie that a list of paths is compiled to.
type node struct {
	next map[string]*node
	any  *node // {}
	row  *row  // set where a path ends
}

var (
	endpoints = compileTable(table)
	baseTree  = compileBases(bases)
)

func compileTable(rows []row) *node {
	root := &node{}
	for i := range rows {
		r := &rows[i]
		r.name = nameOf(r.path)
		root.insert(r.path, r)
	}
	return root
}

func compileBases(paths []string) *node {
	root := &node{}
	for _, p := range paths {
		root.insert(p, &row{path: p})
	}
	return root
}

// nameOf joins the literal segments of a path by dots.
func nameOf(path string) string {
	var literal []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "{}" {
			literal = append(literal, s)
		}
	}
	return strings.Join(literal, ".")
}

func (n *node) insert(path string, r *row) {
	for s := range strings.SplitSeq(path, "/") {
		n = n.child(s)
	}
	n.row = r
}

func (n *node) child(segment string) *node {
	if segment == "{}" {
		if n.any == nil {
			n.any = &node{}
		}
		return n.any
	}
	if n.next[segment] == nil {
		if n.next == nil {
			n.next = map[string]*node{}
		}
		n.next[segment] = &node{}
	}
	return n.next[segment]
}

// step returns the node below n for one segment; a literal goes before {}.
// Identifiers have neither escapes nor dots alone, and an upstream that resolves
// them would see another path: {} does not match those.
func (n *node) step(segment string) *node {
	if m := n.next[segment]; m != nil {
		return m
	}
	if segment == "." || segment == ".." || strings.IndexByte(segment, '%') >= 0 {
		return nil
	}
	return n.any
}

// match returns the row that lists path, below a base or none, or nil. No base
// begins like a row, so at most one of them leads to a row.
func match(path string) *row {
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	if r := lookup(path); r != nil {
		return r
	}
	for n, rest := baseTree, path; ; {
		var segment string
		segment, rest = cut(rest)
		if segment == "" {
			return nil
		}
		if n = n.step(segment); n == nil {
			return nil
		}
		if n.row == nil {
			continue
		}
		if r := lookup(rest); r != nil {
			return r
		}
	}
}

// lookup returns the row for a path without its base: the one it equals, else
// the family it is below, else nil.
func lookup(path string) *row {
	var family *row
	for n := endpoints; ; {
		var segment string
		segment, path = cut(path)
		if segment == "" {
			if n.row != nil {
				return n.row
			}
			return family
		}
		if n = n.step(segment); n == nil {
			return family
		}
		if n.row != nil && n.row.family {
			family = n.row
		}
	}
}

// cut takes the first segment off a path and returns it and the rest. Empty segments are skipped: clients
// that join a base and a path by hand send // in the middle or / at the end.
// The segment is empty only at the end.
func cut(path string) (string, string) {
	path = strings.TrimLeft(path, "/")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// last returns the last segment of a path.
func last(path string) string {
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
