package limit

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"
)

// TestMain lets the property tests draw other cases in each run. One that fails names
// the seed that repeats it (-rapid.seed), so no file needs to be written.
func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("rapid.nofailfile", "true") // rapid defines it
	code := m.Run()
	if !reflect.DeepEqual(&bare, &bucket{}) {
		fmt.Fprintln(os.Stderr, "the bucket that stands for those of which nothing is known was written to")
		code = 1
	}
	os.Exit(code)
}
