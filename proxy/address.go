package proxy

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/internal/clip"
	"outrigger/proxy/carrier"
)

// faceOf returns the request as an upstream is to get it, and who pays for it there.
func (x *Run) faceOf(up *lane) facing {
	f := facing{up: up, outbound: x.request}
	if len(x.candidates) > 1 { // the next one begins with what the caller sent
		f.outbound = x.request.WithContext(x.request.Context())
		address := *x.request.URL
		f.outbound.URL, f.outbound.Header = &address, x.request.Header.Clone()
	}
	f.rename(x.facts)
	if f.spliced != "" && x.encoded.codings != nil {
		f.outbound.Header.Del("Content-Encoding") // it goes as it reads; see outgoing
	}
	up.address(f.outbound, f.sent, x.meant)
	if x.isAsked(up) {
		f.outbound.URL.Path, f.outbound.URL.RawPath = x.asked.Path, x.asked.RawPath
	}
	f.credential = x.credentials.payer(f.outbound)
	f.model = f.sent
	if f.model == "" {
		f.model = x.endpoint.Name // what has no model has limits of its own
	}
	f.model = clip.Text(withTier(f.model, x.facts.Tier), maxModel)
	return f
}

// address turns a request as the caller sent it into the upstream's: URL, query,
// credential and headers. model is the name that the body carries by now. meant
// says that the caller asked for this upstream by name.
func (u *API) address(out *http.Request, model string, meant bool) {
	secrets := u.secrets.Load()
	switch {
	case u.isForeign(meant):
		u.drop(out, carrier.Payer)
	case !secrets.key.IsZero(): // an account may be chosen among those of that key
		u.drop(out, carrier.KindsOf(carrier.Proof))
	}
	if secrets.query != "" {
		out.URL.RawQuery = carrier.WithoutParameters(out.URL.RawQuery, secrets.replaces)
	}
	call := u.preset.Call(out.URL.EscapedPath(), model)
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
	return u.foreign && (!meant || u.config.CallerKey == CallerKeyDrop)
}

// replacesKey reports whether a caller's credential has no part in what u answers.
func (u *API) replacesKey(meant bool) bool {
	return !u.secrets.Load().key.IsZero() || u.isForeign(meant)
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
	return carrier.Parameter(p.Name) == carrier.Proof && slices.ContainsFunc(s.parameters, func(own Pair) bool { return strings.EqualFold(own.Name, p.Name) })
}
