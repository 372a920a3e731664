package upstream

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/proxy/carrier"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
)

// Address turns a request as the caller sent it into the upstream's: URL, query,
// credential and headers. model is the name that the body carries by now. meant
// says that the caller asked for this upstream by name.
func (u *API) Address(out *http.Request, model string, meant bool) {
	secrets := u.Secrets.Load()
	switch {
	case u.isForeign(meant):
		u.drop(out, carrier.Payer)
	case !secrets.key.IsZero(): // an account may be chosen among those of that key
		u.drop(out, carrier.KindsOf(carrier.Proof))
	}
	if secrets.query != "" {
		out.URL.RawQuery = carrier.WithoutParameters(out.URL.RawQuery, secrets.replaces)
	}
	call := u.Preset.Call(out.URL.EscapedPath(), model)
	u.aim(out, call)
	for _, p := range secrets.headers {
		out.Header.Set(p.Name, p.Value)
	}
	addQuery(out.URL, secrets.query)
	complete(out, call)
	if !secrets.key.IsZero() {
		u.setKey(out, call, secrets.key.Reveal())
	}
}

// isForeign reports whether u gets nothing of what its caller proves itself with.
func (u *API) isForeign(meant bool) bool {
	return u.foreign && (!meant || u.Config.CallerKey == settings.CallerKeyDrop)
}

// ReplacesKey reports whether a caller's credential has no part in what u answers.
func (u *API) ReplacesKey(meant bool) bool {
	return !u.Secrets.Load().key.IsZero() || u.isForeign(meant)
}

// drop takes out of a request what its caller proves itself with, and for another host the
// accounts that it names: another credential takes their place, or none.
func (u *API) drop(out *http.Request, kinds carrier.Kinds) {
	carrier.WithoutHeaders(out.Header, kinds, u.own...)
	out.URL.RawQuery = carrier.WithoutParameters(out.URL.RawQuery, func(p carrier.Pair) bool { return kinds.Has(carrier.Parameter(p.Name)) })
}

// replaces reports whether a caller's query parameter is a credential for which the
// configuration has another one: of two, each server takes the one that it likes.
func (s *secrets) replaces(p carrier.Pair) bool {
	return carrier.Parameter(p.Name) == carrier.Proof && slices.ContainsFunc(s.Parameters, func(own settings.Pair) bool { return strings.EqualFold(own.Name, p.Name) })
}

// Authority is the host and port of the upstream.
func (u *API) Authority() string { return intercept.Authority(u.Config.URL) }

// Relative returns what a path at the upstream, escaped, is under Outrigger's own base
// URL, and whether it is a path of its API at all.
func (u *API) Relative(path string) (string, bool) {
	base := strings.TrimSuffix(u.Preset.Call("/v1/", "").Path, "/")
	if rest, ok := strings.CutPrefix(path, base+"/"); ok {
		return "/v1/" + rest, true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(u.Config.URL.EscapedPath(), "/")+"/")
	return "/" + rest, ok
}
