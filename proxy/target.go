package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outrigger/proxy/intercept"
)

// targetOf returns the authority, host:port, of the upstream that a request was
// meant for by a caller that takes this listener for a proxy: it came through an
// intercepted tunnel, or names an upstream's host in its target (absolute form, RFC
// 9112, section 3.2.2). It is "" for requests that are meant for this listener.
func (p *Proxy) targetOf(r *http.Request) string {
	if target := intercept.Target(r.Context()); target != "" {
		return target
	}
	if !p.config.Callers.Intercept || !r.URL.IsAbs() {
		return ""
	}
	for _, u := range p.upstreams {
		// Without a port, the upstream's scheme counts: http:// becomes https://.
		asked := &url.URL{Scheme: u.config.URL.Scheme, Host: r.URL.Host}
		if target := u.authority(); target == intercept.Authority(asked) {
			return target
		}
	}
	return ""
}

// admitTo returns nil for a request to an upstream's own host that may go on. Of an
// intercepted tunnel the token was asked for when it was opened.
func (cs *callers) admitTo(r *http.Request, target string) error {
	scheme := "https"
	if r.TLS == nil {
		scheme = "http"
	}
	through := intercept.Target(r.Context()) != ""
	if through && intercept.Authority(&url.URL{Scheme: scheme, Host: r.Host}) != target {
		return fail("host_not_allowed", "Host %q is not served here: this is a tunnel to %s.", short(r.Host), target)
	}
	if err := cs.admitPage(r); err != nil {
		return err
	}
	if !through && !cs.known(r.Header.Get(headerToken)) && !cs.known(intercept.TokenOf(r)) {
		return fail("client_token_required", "This proxy asks for a client token. Put one of OUTRIGGER_CLIENT_TOKENS into the proxy's URL: HTTP_PROXY=http://TOKEN@host:port.")
	}
	return nil
}

// routeTo picks the upstreams that may serve a request to target: all, if target is
// the first one's host, else those at target alone, for the caller's key is
// meant for them. There the path is as it came; for the others it becomes the one
// under Outrigger's own base URL.
func (x *exchange) routeTo(r *http.Request) error {
	x.asked = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath}
	x.candidates = slices.DeleteFunc(slices.Clone(x.upstreams), func(u *lane) bool { return u.authority() != x.target })
	x.up, x.meant = x.candidates[0], true
	for _, u := range x.candidates { // of several APIs at one host, the one whose path has more in common
		if below, ok := u.relative(x.asked.EscapedPath()); ok && (x.below == "" || len(below) < len(x.below)) {
			x.up, x.below = u, below
		}
	}
	if x.below == "" {
		return nil
	}
	x.candidates = slices.DeleteFunc(x.candidates, func(u *lane) bool { return !x.isAsked(u) })
	if x.up == x.upstreams[0] {
		x.candidates, x.meant = x.upstreams, false
	}
	if path, err := url.PathUnescape(x.below); err == nil {
		r.URL.Path, r.URL.RawPath = path, x.below
	}
	x.path = r.URL.Path
	return nil
}

// isAsked reports whether u is what the caller had in mind, which then gets the path as
// the caller wrote it.
func (x *Run) isAsked(u *lane) bool {
	if x.target == "" || u.authority() != x.target {
		return false
	}
	below, _ := u.relative(x.asked.EscapedPath())
	return x.below == "" || below == x.below
}

// authority is the host and port of the upstream.
func (u *API) authority() string { return intercept.Authority(u.config.URL) }

// relative returns what a path at the upstream, escaped, is under Outrigger's own base
// URL, and whether it is a path of its API at all.
func (u *API) relative(path string) (string, bool) {
	base := strings.TrimSuffix(u.preset.Call("/v1/", "").Path, "/")
	if rest, ok := strings.CutPrefix(path, base+"/"); ok {
		return "/v1/" + rest, true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(u.config.URL.EscapedPath(), "/")+"/")
	return "/" + rest, ok
}
