package limit

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes the property tests draw the same cases in every run, so that a
// change that turns one red is the one that did it. Others are drawn with
// go test ./policy/limit -rapid.seed=N.
func TestMain(m *testing.M) {
	flag.Parse()
	drawn := false
	flag.Visit(func(f *flag.Flag) { drawn = drawn || f.Name == "rapid.seed" })
	if !drawn {
		_ = flag.Set("rapid.seed", "20261122") // rapid defines it
	}
	os.Exit(m.Run())
}
