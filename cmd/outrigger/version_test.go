package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionTellsVersionCommitAndGoVersion(t *testing.T) {
	on := ", " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	recorded := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Version: version}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return info
	}
	for name, tt := range map[string]struct {
		version, commit string
		info            *debug.BuildInfo
		want            string
	}{
		"nothing known":    {"", "", nil, "outrigger dev (commit unknown)"},
		"built here":       {"", "", recorded("(devel)"), "outrigger dev (commit unknown)"},
		"from a checkout":  {"", "", recorded("(devel)", "vcs.revision", "0a1b2c", "vcs.modified", "false"), "outrigger dev (commit 0a1b2c)"},
		"with changes":     {"", "", recorded("(devel)", "vcs.revision", "0a1b2c", "vcs.modified", "true"), "outrigger dev (commit 0a1b2c, modified)"},
		"go install":       {"", "", recorded("v1.2.3"), "outrigger v1.2.3 (commit unknown)"},
		"told by ldflags":  {"1.2.4", "ffff", recorded("v1.2.3", "vcs.revision", "0a1b2c", "vcs.modified", "true"), "outrigger 1.2.4 (commit ffff)"},
		"version only":     {"1.2.4", "", recorded("v1.2.3", "vcs.revision", "0a1b2c"), "outrigger 1.2.4 (commit 0a1b2c)"},
		"modified, but of": {"", "", recorded("(devel)", "vcs.modified", "true"), "outrigger dev (commit unknown)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := versionText(tt.version, tt.commit, tt.info); got != tt.want+on {
				t.Errorf("got %s, want %s", got, tt.want+on)
			}
		})
	}
	for _, arg := range []string{"version", "-version", "--version"} {
		if got := runWith(t, []string{arg}, nil); got.Code != 0 || !strings.HasPrefix(got.Stdout, "outrigger ") || !strings.HasSuffix(got.Stdout, on+"\n") {
			t.Errorf("outrigger %s: %+v", arg, got)
		}
	}
}
