package proxy

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"outrigger/policy/endpoint"
	"outrigger/proxy/access"
	"outrigger/proxy/apierror"
	"outrigger/proxy/observe"
	proxywire "outrigger/proxy/wire"
)

// route picks the upstreams that may serve the request: all in their order, or
// the one that /@NAME/ asks for.
func (x *exchange) route(r *http.Request) error {
	if x.Target != "" {
		return x.routeTo(r)
	}
	x.Candidates, x.Up = x.Upstreams, x.Upstreams[0]
	rest, pinned := strings.CutPrefix(r.URL.Path, "/@")
	if !pinned {
		return nil
	}
	name, _, found := strings.Cut(rest, "/")
	for _, u := range x.Upstreams {
		if found && u.Config.Name == name {
			x.Pin(u)
			x.Meant = true
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "/@"+name)
			if r.URL.RawPath != "" { // its first segment may be escaped
				_, raw, _ := strings.Cut(r.URL.RawPath[1:], "/")
				r.URL.RawPath = "/" + raw
			}
			x.Path = r.URL.Path
			return nil
		}
	}
	return apierror.New("bad_request", "There is no upstream %q. See OUTRIGGER_UPSTREAMS.", access.Short(name))
}

// identify finds out what the request does.
func (x *exchange) identify(r *http.Request) {
	if proxywire.IsWebSocket(r.Header) { // it has no body that would tell
		query := r.URL.Query()
		// Azure's is a deployment. A copy, for the whole request line would stay in memory with it.
		x.Facts.Model = strings.Clone(cmp.Or(query.Get("model"), query.Get("deployment")))
	}
	if model, method := endpoint.Method(r.URL.EscapedPath()); method != "" { // Google's own API
		if plain, err := url.PathUnescape(model); err == nil {
			model = plain
		}
		x.Facts.Model, x.Facts.ModelStart, x.Facts.ModelEnd = strings.Clone(model), 0, 0
		x.Facts.Stream = x.Facts.Stream || endpoint.Streams(method)
	}
	x.Facts.Model = proxywire.ModelKey(x.Facts.Model)
	x.Endpoint = endpoint.Of(x.Method, r.URL.EscapedPath(), x.Facts.Facts)
	if n := r.Header.Get("X-Stainless-Retry-Count"); n != "" && n != "0" {
		x.Recorder.Span(x.ID, observe.Moment(observe.SpanClientRetry, x.Up.Config.Name, ""))
	}
}
