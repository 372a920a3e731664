package policy_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"outrigger/policy"
)

func TestAlone_TakesMoreWhereOthersAreRefusedToo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		times, passed, refused int
		want                   bool
	}{
		"others pass":                    {5, 100, 0, true},
		"too few refusals":               {4, 1000, 0, false},
		"too few passed":                 {5, 3, 0, false},
		"and one that is told little":    {7, 20, 0, false},
		"which takes more":               {11, 20, 0, true},
		"one other between any two":      {12, 11, 0, true},
		"every second one is refused":    {5, 10, 10, false},
		"and more often than by chance":  {50, 49, 16, true},
		"everybody is refused":           {100, 99, 100_000, false},
		"counts that make no sense":      {5, -1, -1, false},
		"one in five is, at random":      {9, 200, 50, false},
		"many pass, some are refused":    {12, 100, 20, true},
		"others with the same trouble":   {11, 20, 10, false},
		"one of the others in the first": {5, 4, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "alone", policy.Alone(tt.times, tt.passed, tt.refused), tt.want)
		})
	}
}

func TestAlone_MoreRefusalsOfItsOwnNeverSpeakAgainstIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		times, passed, refused := rapid.IntRange(0, 50).Draw(t, "times"), rapid.IntRange(0, 100).Draw(t, "passed"), rapid.IntRange(0, 100).Draw(t, "refused")
		if policy.Alone(times, passed, refused) {
			if times < 5 {
				t.Fatal("after so few")
			}
			if !policy.Alone(times+1, passed+1, refused) || refused > 0 && !policy.Alone(times, passed, refused-1) {
				t.Fatal("and not with more evidence")
			}
		}
	})
}

// TestAlone_OneOfManyThatAreRefusedAtRandomIsHardlyEver: the chance that a request of an upstream that
// refuses at random is taken for one that is refused for itself, summed over all that may happen.
func TestAlone_OneOfManyThatAreRefusedAtRandomIsHardlyEver(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.05, 0.1, 0.2, 0.4} {
		for _, between := range []int{1, 3, 10, 100} { // others that are sent between two of its attempts
			if chance := aloneByChance(share, between); chance > 2e-7 {
				t.Errorf("of one in %v and %d others in between: %v", 1/share, between, chance)
			}
		}
	}
}

// aloneByChance is the chance for a request that was refused once.
func aloneByChance(share float64, between int) float64 {
	total, alive := 0.0, map[[2]int]float64{{0, 0}: 1} // others that passed and were refused
	for times := 2; times < 30; times++ {
		next := map[[2]int]float64{}
		for others, p := range alive {
			for refused := range between + 1 {
				q := p * share * binomial(between, refused, share)
				if q < 1e-16 {
					continue
				}
				now := [2]int{others[0] + between - refused, others[1] + refused}
				if policy.Alone(times, now[0], now[1]) {
					total += q
					continue
				}
				next[now] += q
			}
		}
		alive = next
	}
	return total
}

func binomial(n, k int, p float64) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	some, _ := math.Lgamma(float64(k + 1))
	rest, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(all - some - rest + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}
