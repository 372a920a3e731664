package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"

	"outrigger/internal/config"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
)

// showProviders tells, for each upstream, which preset it has and what becomes of a
// chat completion there: the mistakes that an URL invites are seen at a glance.
func showProviders(w io.Writer, cfg *config.Config) {
	upstreams := cfg.Upstreams
	for i := range upstreams {
		u := &upstreams[i]
		known := u.Preset()
		const path = "/v1/chat/completions"
		call := known.Call(path, "MODEL")
		address := config.Presentable(u.URL.Scheme + "://" + u.URL.Host + call.Path)
		set := func(p settings.Pair) bool { return p.Name == call.Query.Name }
		if call.Query.Name != "" && !slices.ContainsFunc(u.Query, set) {
			address += "?" + call.Query.Name + "=" + call.Query.Value
		}
		key := ", with no credential"
		switch {
		case !u.APIKey.IsZero():
			key = ", the key in " + cmp.Or(u.AuthHeader, call.AuthHeader, "Authorization")
		case u.LendsKey():
			key = ", with the credential that is configured"
		case u.GetsCallerKey(upstreams[0].URL):
			key = ", with the caller's credential"
		}
		fmt.Fprintf(w, "upstream %s, preset %s: POST %s goes to %s%s%s\n", u.Name, cmp.Or(known.Name, "none"), path, address, key, through(cfg, u.URL))
	}
}

// through tells which proxy requests to u go through, "" for none.
func through(cfg *config.Config, u *url.URL) string {
	via, name := intercept.WayOut(cfg.Proxies, cfg.Listen, u)
	if via == nil {
		return ""
	}
	return ", through the proxy " + addressOf(via) + " of " + name
}

// addressOf is where a proxy is, without who is to call it.
func addressOf(via *url.URL) string { return config.Presentable(via.Scheme + "://" + via.Host) }
