package upstream

import (
	"strings"

	"outrigger/proxy/intercept"
)

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
