package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"outrigger/internal/config"
	"outrigger/proxy/intercept"
	"outrigger/proxy/settings"
)

// tellStart logs what has been started: the version, and for each upstream where it is,
// whose key is used there and which limits are configured. How many connections callers may have
// follows from the machine, where it is not configured.
func tellStart(cfg *config.Config, log *slog.Logger) {
	info, _ := debug.ReadBuildInfo()
	log.Info("starting", slog.String("version", versionText(version, commit, info)), slog.Any("upstreams", describeUpstreams(cfg)),
		slog.Int("max_connections", maxConnections(cfg)))
}

// describeUpstreams tells of each upstream where it is, whose key is used there and which
// limits are configured.
func describeUpstreams(cfg *config.Config) []string {
	upstreams := make([]string, len(cfg.Upstreams))
	for i, u := range cfg.Upstreams {
		upstreams[i] = strings.Join([]string{u.Name + " at " + config.Presentable(u.URL.String()), whoseKey(cfg, u), limitsOf(cfg, u)}, ", ")
	}
	return upstreams
}

// whoseKey tells which credential requests to u carry.
func whoseKey(cfg *config.Config, u settings.Upstream) string {
	switch {
	case !u.APIKey.IsZero():
		return "with the configured key"
	case u.LendsKey():
		return "with the configured headers or parameters"
	case u.GetsCallerKey(cfg.Upstreams[0].URL):
		return "with the caller's key"
	}
	return "with no key"
}

// limitsOf tells which limits are configured for u.
func limitsOf(cfg *config.Config, u settings.Upstream) string {
	var all []string
	for _, l := range []struct {
		most int
		of   string
	}{
		{cmp.Or(u.RPM, cfg.Limit.RPM), "requests a minute"}, {cmp.Or(u.TPM, cfg.Limit.TPM), "tokens a minute"}, {cmp.Or(u.MaxInflight, cfg.MaxInflight), "at once"},
	} {
		if l.most > 0 {
			all = append(all, fmt.Sprintf("%d %s", l.most, l.of))
		}
	}
	if all == nil {
		return "limits learned"
	}
	return "at most " + strings.Join(all, ", ")
}

// tellWaysOut logs which proxy each upstream is reached through, if any is, and which
// variables name one that cannot be used.
func tellWaysOut(cfg *config.Config, log *slog.Logger) {
	for _, told := range cfg.Proxies.NotUsed() {
		log.Warn("a proxy on the way out is left out", slog.String("reason", told))
	}
	for _, u := range cfg.Upstreams {
		if via, name := intercept.WayOut(cfg.Proxies, cfg.Listen, u.URL); via != nil {
			log.Info("an upstream is reached through a proxy", slog.String("upstream", u.Name), slog.String("proxy", addressOf(via)), slog.String("variable", name))
		}
	}
}
