// Package chance gives random tests their seeds: the same ones in every run of make test,
// so that a failure is never the next run's success, and fresh ones in make soak.
//
//	OUTRIGGER_TEST_LONG=5m    fresh seeds, for so long in each test
//	OUTRIGGER_TEST_SEED=42    that seed alone
package chance

import (
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Long reports whether fresh seeds, and all the cases there are, are asked for.
func Long() bool { return os.Getenv("OUTRIGGER_TEST_LONG") != "" }

// Seed returns the seed of a test that plays once, and logs how to play it again: 1, a
// fresh one, or the one that is asked for.
func Seed(tb testing.TB) uint64 {
	tb.Helper()
	seed, _ := first(tb)
	tb.Logf("OUTRIGGER_TEST_SEED=%d", seed)
	return seed
}

// Seeds returns the seeds of a test that plays many cases: n from 1 on, fresh ones for as
// long as is asked for, or the one that is asked for. The test must name a case's seed
// where it fails, and ends the loop then.
func Seeds(tb testing.TB, n int) iter.Seq[uint64] {
	tb.Helper()
	from, one := first(tb)
	var end time.Time
	if text := os.Getenv("OUTRIGGER_TEST_LONG"); text != "" {
		long, err := time.ParseDuration(text)
		if err != nil {
			tb.Fatalf("OUTRIGGER_TEST_LONG: %v", err)
		}
		end = time.Now().Add(long)
		tb.Logf("seeds from %d on, for %v", from, long)
	}
	return func(yield func(uint64) bool) {
		for i := 0; i == 0 || !one && (i < n || time.Now().Before(end)); i++ {
			if !yield(from + uint64(i)) {
				return
			}
		}
	}
}

// first returns the first seed, and whether it is the only one.
func first(tb testing.TB) (uint64, bool) {
	tb.Helper()
	if text := os.Getenv("OUTRIGGER_TEST_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			tb.Fatalf("OUTRIGGER_TEST_SEED: %v", err)
		}
		return seed, true
	}
	if Long() {
		return rand.Uint64() >> 16, false
	}
	return 1, false
}
