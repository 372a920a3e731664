package proxy

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outrigger/policy/endpoint"
	"outrigger/proxy/access"
	"outrigger/proxy/apierror"
	"outrigger/proxy/intercept"
	"outrigger/proxy/lane"
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
	return apierror.New(apierror.BadRequest, "There is no upstream %q. See OUTRIGGER_UPSTREAMS.", access.Short(name))
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

// targetOf returns the authority, host:port, of the upstream that a request was
// meant for by a caller that takes this listener for a proxy: it came through an
// intercepted tunnel, or names an upstream's host in its target (absolute form, RFC
// 9112, section 3.2.2). It is "" for requests that are meant for this listener.
func (p *generation) targetOf(r *http.Request) string {
	if target := intercept.Target(r.Context()); target != "" {
		return target
	}
	if !p.Config.Callers.Intercept || !r.URL.IsAbs() {
		return ""
	}
	for _, u := range p.Upstreams {
		// Without a port, the upstream's scheme counts: http:// becomes https://.
		asked := &url.URL{Scheme: u.Config.URL.Scheme, Host: r.URL.Host}
		if target := u.Authority(); target == intercept.Authority(asked) {
			return target
		}
	}
	return ""
}

// routeTo picks the upstreams that may serve a request to target: all, if target is
// the first one's host, else those at target alone, for the caller's key is
// meant for them. There the path is as it came; for the others it becomes the one
// under Outrigger's own base URL.
func (x *exchange) routeTo(r *http.Request) error {
	x.Asked = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath}
	x.Candidates = slices.DeleteFunc(slices.Clone(x.Upstreams), func(u *lane.Lane) bool { return u.Authority() != x.Target })
	x.Up, x.Meant = x.Candidates[0], true
	for _, u := range x.Candidates { // of several APIs at one host, the one whose path has more in common
		if below, ok := u.Relative(x.Asked.EscapedPath()); ok && (x.Below == "" || len(below) < len(x.Below)) {
			x.Up, x.Below = u, below
		}
	}
	if x.Below == "" {
		return nil
	}
	x.Candidates = slices.DeleteFunc(x.Candidates, func(u *lane.Lane) bool { return !x.IsAsked(u) })
	if x.Up == x.Upstreams[0] {
		x.Candidates, x.Meant = x.Upstreams, false
	}
	if path, err := url.PathUnescape(x.Below); err == nil {
		r.URL.Path, r.URL.RawPath = path, x.Below
	}
	x.Path = r.URL.Path
	return nil
}
