package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set at build time: go build -ldflags "-X main.version=1.2.3 -X main.commit=0a1b2c3".
// What is not set is taken from what the go command records in the binary.
var version, commit string

func runVersion(_ context.Context, c call) int {
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintln(c.stdout, versionText(version, commit, info))
	return exitOK
}

// versionText returns one line; info may be nil.
func versionText(version, commit string, info *debug.BuildInfo) string {
	recorded := map[string]string{}
	if info != nil {
		for _, s := range info.Settings {
			recorded[s.Key] = s.Value
		}
		if version == "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
	}
	if commit == "" {
		commit = recorded["vcs.revision"]
		if commit != "" && recorded["vcs.modified"] == "true" {
			commit += ", modified"
		}
	}
	return fmt.Sprintf("outrigger %s (commit %s), %s %s/%s",
		cmp.Or(version, "dev"), cmp.Or(commit, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
