package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"outrigger/proxy"
)

// tellStart logs what has been started: the version, and for each upstream where it is,
// whose key is used there and which limits are configured. How many connections callers may have
// follows from the machine, where it is not configured.
func (s *settings) tellStart(log *slog.Logger) {
	info, _ := debug.ReadBuildInfo()
	upstreams := make([]string, len(s.Upstreams))
	for i, u := range s.Upstreams {
		upstreams[i] = strings.Join([]string{u.Name + " at " + presentable(u.URL.String()), s.whoseKey(u), s.limitsOf(u)}, ", ")
	}
	log.Info("starting", slog.String("version", versionText(version, commit, info)), slog.Any("upstreams", upstreams),
		slog.Int("max_connections", s.connections()))
}

// whoseKey tells which credential requests to u carry.
func (s *settings) whoseKey(u proxy.Upstream) string {
	switch {
	case !u.APIKey.IsZero():
		return "with the configured key"
	case u.LendsKey():
		return "with the configured headers or parameters"
	case u.GetsCallerKey(s.Upstreams[0].URL):
		return "with the caller's key"
	}
	return "with no key"
}

// limitsOf tells which limits are configured for u.
func (s *settings) limitsOf(u proxy.Upstream) string {
	var all []string
	for _, l := range []struct {
		most int
		of   string
	}{
		{cmp.Or(u.RPM, s.Limit.RPM), "requests a minute"}, {cmp.Or(u.TPM, s.Limit.TPM), "tokens a minute"}, {cmp.Or(u.MaxInflight, s.MaxInflight), "at once"},
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
