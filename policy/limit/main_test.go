package limit

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets the property tests draw other cases in each run. One that fails names
// the seed that repeats it (-rapid.seed), so no file needs to be written.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("rapid.nofailfile", "true") // rapid defines it
	os.Exit(m.Run())
}
