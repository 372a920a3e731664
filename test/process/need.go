package process

import (
	"os"
	"testing"
)

// Missing ends a test that cannot run here. A bare `go test ./...` skips it and
// says why; with TEST_REQUIRE set, as `make test` and CI have it, it fails.
func Missing(tb testing.TB, format string, arguments ...any) {
	tb.Helper()
	if os.Getenv("TEST_REQUIRE") != "" {
		tb.Fatalf("required: "+format, arguments...)
	}
	tb.Skipf("SKIPPED, `make test` runs it: "+format, arguments...)
}
