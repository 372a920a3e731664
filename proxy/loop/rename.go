package loop

import (
	"net/url"
	"strings"

	"outrigger/policy/endpoint"
	"outrigger/proxy/pick"
	"outrigger/proxy/wire"
)

// rename finds what the upstream calls the model, and how its name has to stand in
// the body; a WebSocket's stands in the query,
// and that of Google's own API in the path. A body that names no model, or one
// that is no text, goes as it is: the upstream will say what it misses.
func (f *Facing) rename(facts pick.Facts) {
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
