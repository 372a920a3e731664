package process

import (
	"os"
	"testing"
)

// Missing ends a test that needs what this machine does not have. It skips the test, and
// says why; with TEST_REQUIRE set, as CI has it, it fails the test.
func Missing(tb testing.TB, format string, arguments ...any) {
	tb.Helper()
	if os.Getenv("TEST_REQUIRE") != "" {
		tb.Fatalf("required: "+format, arguments...)
	}
	tb.Skipf("SKIPPED: "+format, arguments...)
}

// NeedRoot ends the test as Missing does unless root runs it. Why completes "root, ".
func NeedRoot(tb testing.TB, why string) {
	tb.Helper()
	if os.Geteuid() != 0 {
		Missing(tb, "needs root, %s", why)
	}
}
