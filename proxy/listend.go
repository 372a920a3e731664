package proxy

import (
	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
)

// listens returns what follows the answer of a, if that may be a list: without alt=sse
// Gemini's streamGenerateContent sends the chunks as members of one, [{…},
// {…}], which is whole only with its last bracket.
func listens(x *serving, a *attempt) *jsonscan.Nesting {
	if x.endpoint.Dialect != endpoint.Gemini || a.watcher != nil || a.content.encoded() || a.content.what() != kindText || !isSuccess(a.resp.StatusCode) {
		return nil
	}
	return &jsonscan.Nesting{}
}
