package limit

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// The random tests draw the same cases in each run. A failure names its seed, which as
// OUTRIGGER_TEST_SEED runs that case alone. OUTRIGGER_TEST_LONG is how long each of
// them goes on drawing others, in place of its few seconds.
var (
	seedWanted = os.Getenv("OUTRIGGER_TEST_SEED")
	longWanted = os.Getenv("OUTRIGGER_TEST_LONG")
)

// allowed is how long one random test draws cases: least, or what is asked for.
func allowed(t *testing.T, least time.Duration) time.Duration {
	t.Helper()
	if longWanted != "" {
		d, err := time.ParseDuration(longWanted)
		if err != nil {
			t.Fatalf("OUTRIGGER_TEST_LONG: %v", err)
		}
		return d
	}
	if testing.Short() {
		return least / 4
	}
	return least
}

// forSeeds calls hold with seeds for as long as least, or once with the one that is
// asked for. It returns how many there were.
func forSeeds(t *testing.T, least time.Duration, hold func(seed uint64) error) int {
	t.Helper()
	if seedWanted != "" {
		seed, err := strconv.ParseUint(seedWanted, 10, 64)
		if err != nil {
			t.Fatalf("OUTRIGGER_TEST_SEED: %v", err)
		}
		if err := hold(seed); err != nil {
			t.Errorf("OUTRIGGER_TEST_SEED=%d: %v", seed, err)
		}
		return 1
	}
	first, end, n := uint64(1), time.Now().Add(allowed(t, least)), 0
	if longWanted != "" {
		first = rand.Uint64() >> 16
	}
	for failed := 0; n == 0 || time.Now().Before(end) && failed < 3; n++ {
		seed := first + uint64(n)
		if err := hold(seed); err != nil {
			failed++
			t.Errorf("OUTRIGGER_TEST_SEED=%d: %v", seed, err)
		}
	}
	t.Logf("%d cases from seed %d on", n, first)
	return n
}

// sample is what random cases gave, one figure each.
type sample struct{ n, sum, squares float64 }

func (s *sample) add(x float64) { s.n, s.sum, s.squares = s.n+1, s.sum+x, s.squares+x*x }

// hold fails if the mean is more than most, and by more than chance: four standard errors.
func (s *sample) hold(t *testing.T, what string, most float64) {
	t.Helper()
	n := max(1, s.n)
	mean := s.sum / n
	chance := 4 * math.Sqrt(max(0, s.squares/n-mean*mean)/n)
	t.Logf("%s: %.4f on average of %.0f cases, at most %.3f and %.4f by chance", what, mean, s.n, most, chance)
	if s.n > 20 && mean-chance > most {
		t.Errorf("%s: %.4f on average of %.0f cases, want at most %.3f", what, mean, s.n, most)
	}
}
