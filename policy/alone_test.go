package policy_test

import (
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
		"others pass":                    {5, 20, 0, true},
		"too few refusals":               {4, 100, 0, false},
		"too few passed":                 {5, 3, 0, false},
		"every second one is refused":    {5, 10, 10, false},
		"and more often than by chance":  {17, 16, 16, true},
		"everybody is refused":           {100, 99, 100_000, false},
		"counts that make no sense":      {5, -1, -1, false},
		"many pass, some are refused":    {7, 100, 20, true},
		"others with the same trouble":   {11, 20, 10, true},
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
