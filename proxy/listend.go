package proxy

import "outrigger/policy/endpoint"

// nesting follows JSON that comes in pieces: without alt=sse Gemini's streamGenerateContent
// sends the chunks as members of one list, [{…},
// {…}], which is whole only with its last bracket.
type nesting struct {
	depth         int
	text, escaped bool // in a string, and behind its backslash
}

// show shows it the next bytes.
func (n *nesting) show(p []byte) {
	for _, c := range p {
		switch {
		case n.escaped:
			n.escaped = false
		case n.text:
			n.escaped, n.text = c == '\\', c != '"'
		case c == '"':
			n.text = true
		case c == '{', c == '[':
			n.depth++
		case c == '}', c == ']':
			n.depth--
		}
	}
}

// open reports whether the end is missing.
func (n *nesting) open() bool { return n.depth > 0 }

// listens returns what follows the answer of a, if that may be such a list.
func listens(x *serving, a *attempt) *nesting {
	if x.endpoint.Dialect != endpoint.Gemini || a.watcher != nil || a.content.encoded() || a.content.what() != kindText || !isSuccess(a.resp.StatusCode) {
		return nil
	}
	return &nesting{}
}
