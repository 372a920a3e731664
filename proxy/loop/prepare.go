package loop

import (
	"net/http"
	"net/url"
	"strings"

	"outrigger/internal/clip"
	"outrigger/policy/endpoint"
	"outrigger/proxy/lane"
	"outrigger/proxy/pick"
	"outrigger/proxy/wire"
)

// prepare returns the request as an upstream is to get it, and who pays for it there.
func (x *Run) prepare(up *lane.Lane) Prepared {
	f := Prepared{Up: up, Outbound: x.request}
	if len(x.Candidates) > 1 { // the next one begins with what the caller sent
		f.Outbound = x.request.WithContext(x.request.Context())
		address := *x.request.URL
		f.Outbound.URL, f.Outbound.Header = &address, x.request.Header.Clone()
	}
	f.rename(x.Facts)
	if f.Spliced != "" && x.Encoded.Codings != nil {
		f.Outbound.Header.Del("Content-Encoding") // it goes as it reads; see body.Body.Outgoing
	}
	up.Address(f.Outbound, f.Sent, x.Meant)
	if x.IsAsked(up) {
		f.Outbound.URL.Path, f.Outbound.URL.RawPath = x.Asked.Path, x.Asked.RawPath
	}
	f.credential = x.Credentials.Payer(f.Outbound)
	f.model = f.Sent
	if f.model == "" {
		f.model = x.Endpoint.Name // what has no model has limits of its own
	}
	f.model = clip.Text(withTier(f.model, x.Facts.Tier), wire.MaxModel)
	return f
}

// Straight addresses a request that passes once, as it is, to its present upstream.
func (x *Run) Straight(out *http.Request) {
	x.Up.Address(out, "", x.Meant)
	if x.IsAsked(x.Up) {
		out.URL.Path, out.URL.RawPath = x.Asked.Path, x.Asked.RawPath
	}
	x.Outbound, x.credential = out, x.Credentials.Payer(out)
}

// rename finds what the upstream calls the model, and how its name has to stand in
// the body; a WebSocket's stands in the query,
// and that of Google's own API in the path. A body that names no model, or one
// that is no text, goes as it is: the upstream will say what it misses.
func (f *Prepared) rename(facts pick.Facts) {
	f.Sent = facts.Model
	name, renamed := f.Up.Models.Of(facts.Model)
	switch {
	case !renamed:
	case facts.ModelEnd > 0 && wire.MediaType(f.Outbound.Header) == "multipart/form-data":
		f.Sent, f.Spliced = name.Plain, name.Plain
	case facts.ModelEnd > 0:
		f.Sent, f.Spliced = name.Plain, name.Quoted
	case wire.IsWebSocket(f.Outbound.Header):
		f.Sent = name.Plain
		f.Outbound.URL.RawQuery = renameIn(f.Outbound.URL.RawQuery, name.Plain)
	case renamePath(f.Outbound.URL, name.Plain):
		f.Sent = name.Plain
	}
}

// renamePath renames the model in a path of Google's own API, and reports whether it is one.
func renamePath(u *url.URL, name string) bool {
	path := u.EscapedPath()
	model, method := endpoint.Method(path)
	if method == "" {
		return false
	}
	at := strings.LastIndex(path, "/"+model) + 1
	u.RawPath = path[:at] + url.PathEscape(name) + path[at+len(model):]
	u.Path, _ = url.PathUnescape(u.RawPath)
	return true
}

// renameIn returns a query with the model that a WebSocket is opened for renamed, and
// all else as it was. Azure calls the parameter deployment.
func renameIn(query, model string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, _ := strings.Cut(pair, "="); name == "model" || name == "deployment" {
			pairs[i] = name + "=" + url.QueryEscape(model)
		}
	}
	return strings.Join(pairs, "&")
}

// IsAsked reports whether u is what the caller had in mind, which then gets the path as
// the caller wrote it.
func (x *Run) IsAsked(u *lane.Lane) bool {
	if x.Target == "" || u.Authority() != x.Target {
		return false
	}
	below, _ := u.Relative(x.Asked.EscapedPath())
	return x.Below == "" || below == x.Below
}

// withTier returns the name under which limits and refusals of a model are kept for one
// service tier. Tiers have capacity, and often limits, of their own: flex that has none
// says nothing about the standard tier (PostHog/posthog#92166). The names of the tier that
// a request gets without asking are OpenAI's (auto, default), Groq's (on_demand) and
// Anthropic's (standard_only).
func withTier(model, tier string) string {
	switch tier = strings.ToLower(tier); tier {
	case "", "auto", "default", "standard", "standard_only", "on_demand":
		return model
	}
	return model + " (" + tier + ")"
}

// PayerLabel names who pays for the request at its present upstream, as logs and the status
// show it; "" if it was not prepared for one.
func (f *Prepared) PayerLabel() string {
	if f.Outbound == nil {
		return ""
	}
	return f.credential.Label()
}
