package meter

import (
	"errors"
	"testing"
	"time"
)

func TestALimitThatMakesNoSenseIsRefused(t *testing.T) {
	tests := map[string]struct {
		limit Limit
		ok    bool
	}{
		"zero":            {Limit{}, true},
		"everything":      {Limit{Credential: "a*", RPM: 1, TPM: 1, RPD: 1, TPD: 1, IPM: 1, Enforce: Quanta, Hint: Formula, Burst: 1, Quantum: 1}, true},
		"negative limit":  {Limit{TPD: -1}, false},
		"enforcement":     {Limit{Enforce: "leaky"}, false},
		"hint":            {Limit{Hint: "maybe"}, false},
		"negative burst":  {Limit{Burst: -time.Second}, false},
		"negative quanta": {Limit{Quantum: -time.Second}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.limit.Validate()
			if (err == nil) != test.ok || (err != nil && !errors.Is(err, ErrLimit)) {
				t.Errorf("Validate() = %v, want ok %v", err, test.ok)
			}
		})
	}
}

func TestAPatternMatchesItselfAPrefixOrEverything(t *testing.T) {
	tests := map[string]struct {
		pattern, text string
		want          bool
	}{
		"empty matches all":    {"", "x", true},
		"itself":               {"gpt-4o", "gpt-4o", true},
		"not a longer one":     {"gpt-4o", "gpt-4o-mini", false},
		"prefix":               {"gpt-4o*", "gpt-4o-mini", true},
		"prefix of nothing":    {"*", "", true},
		"another prefix":       {"o4*", "gpt-4o", false},
		"exact against absent": {"gpt-4o", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Match(test.pattern, test.text); got != test.want {
				t.Errorf("Match(%q, %q) = %v", test.pattern, test.text, got)
			}
		})
	}
}

func TestDimensionsAreNamedAsInMessages(t *testing.T) {
	type name struct {
		short, unit string
		window      time.Duration
	}
	want := map[Dimension]name{
		RequestsPerMinute: {"RPM", "requests", time.Minute},
		RequestsPerDay:    {"RPD", "requests", 24 * time.Hour},
		TokensPerMinute:   {"TPM", "tokens", time.Minute},
		TokensPerDay:      {"TPD", "tokens", 24 * time.Hour},
		ImagesPerMinute:   {"IPM", "images", time.Minute},
	}
	for d := range dimensions {
		if got := (name{d.String(), d.Unit(), d.Window()}); got != want[d] {
			t.Errorf("%d: got %+v, want %+v", d, got, want[d])
		}
	}
}
