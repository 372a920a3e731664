//go:build !linux

package config

import (
	"os"
	"testing"

	"outrigger/test/process"
)

// asNobody runs f, unless root runs the test.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		process.Missing(t, "root can write anywhere")
	}
	f()
}
