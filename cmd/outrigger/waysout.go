package main

import (
	"log/slog"
	"net/url"

	"outrigger/proxy/intercept"
)

// through tells which proxy requests to u go through, "" for none.
func (s *settings) through(u *url.URL) string {
	via, name := intercept.WayOut(s.Proxies, s.Listen, u)
	if via == nil {
		return ""
	}
	return ", through the proxy " + addressOf(via) + " of " + name
}

// addressOf is where a proxy is, without who is to call it.
func addressOf(via *url.URL) string { return presentable(via.Scheme + "://" + via.Host) }

// tellWaysOut logs which proxy each upstream is reached through, if any is, and which
// variables name one that cannot be used.
func (s *settings) tellWaysOut(log *slog.Logger) {
	for _, told := range s.Proxies.NotUsed() {
		log.Warn("a proxy on the way out is left out", slog.String("reason", told))
	}
	for _, u := range s.Upstreams {
		if via, name := intercept.WayOut(s.Proxies, s.Listen, u.URL); via != nil {
			log.Info("an upstream is reached through a proxy", slog.String("upstream", u.Name), slog.String("proxy", addressOf(via)), slog.String("variable", name))
		}
	}
}
