package proxy

import (
	"net/http"
	"net/url"
	"slices"

	"outrigger/proxy/intercept"
	"outrigger/proxy/lane"
)

// targetOf returns the authority, host:port, of the upstream that a request was
// meant for by a caller that takes this listener for a proxy: it came through an
// intercepted tunnel, or names an upstream's host in its target (absolute form, RFC
// 9112, section 3.2.2). It is "" for requests that are meant for this listener.
func (p *Proxy) targetOf(r *http.Request) string {
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
