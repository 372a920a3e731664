package redisserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"outrigger/test/process"
)

// Kind is a program that serves Redis's protocol, by its name.
type Kind string

// The kinds.
const (
	Redis  Kind = "redis-server"
	Valkey Kind = "valkey-server"
)

// Kinds returns all kinds, for a test that is to hold with each.
func Kinds() []Kind { return []Kind{Redis, Valkey} }

// program returns the path of the program: the one on PATH, else the one that was fetched for
// this tree. Without both the test is skipped, or fails: see process.Missing.
func (k Kind) program(tb testing.TB) string {
	tb.Helper()
	if path, err := exec.LookPath(string(k)); err == nil {
		return path
	}
	root, err := process.Root()
	if err != nil {
		tb.Fatal(err)
	}
	fetched := filepath.Join(root, ".tools", "bin", string(k))
	if _, err := os.Stat(fetched); err != nil {
		process.Missing(tb, "needs %s on PATH (make %s fetches it on Debian)", k, map[Kind]string{Redis: "redis", Valkey: "valkey"}[k])
	}
	return fetched
}
