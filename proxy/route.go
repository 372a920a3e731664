package proxy

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"outrigger/policy/endpoint"
)

// route picks the upstreams that may serve the request: all in their order, or
// the one that /@NAME/ asks for.
func (x *exchange) route(r *http.Request) error {
	if x.target != "" {
		return x.routeTo(r)
	}
	x.candidates, x.up = x.upstreams, x.upstreams[0]
	rest, pinned := strings.CutPrefix(r.URL.Path, "/@")
	if !pinned {
		return nil
	}
	name, _, found := strings.Cut(rest, "/")
	for _, u := range x.upstreams {
		if found && u.config.Name == name {
			x.pin(u)
			x.meant = true
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/@"+name)
			if r.URL.RawPath != "" { // its first segment may be escaped
				_, raw, _ := strings.Cut(r.URL.RawPath[1:], "/")
				r.URL.RawPath = "/" + raw
			}
			x.path = r.URL.Path
			return nil
		}
	}
	return fail("bad_request", "There is no upstream %q. See OUTRIGGER_UPSTREAMS.", short(name))
}

// identify finds out what the request does.
func (x *exchange) identify(r *http.Request) {
	if isWebSocket(r.Header) { // it has no body that would tell
		query := r.URL.Query()
		// Azure's is a deployment. A copy, for the whole request line would stay in memory with it.
		x.facts.Model = strings.Clone(cmp.Or(query.Get("model"), query.Get("deployment")))
	}
	if model, method := endpoint.Method(r.URL.EscapedPath()); method != "" { // Google's own API
		if plain, err := url.PathUnescape(model); err == nil {
			model = plain
		}
		x.facts.Model, x.facts.ModelStart, x.facts.ModelEnd = strings.Clone(model), 0, 0
		x.facts.Stream = x.facts.Stream || endpoint.Streams(method)
	}
	x.facts.Model = modelKey(x.facts.Model)
	x.endpoint = endpoint.Of(x.method, r.URL.EscapedPath(), x.facts.Facts)
	if n := r.Header.Get("X-Stainless-Retry-Count"); n != "" && n != "0" {
		x.recorder.Span(x.id, Moment(SpanClientRetry, x.up.config.Name, ""))
	}
}
