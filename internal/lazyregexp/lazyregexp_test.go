package lazyregexp

import (
	"reflect"
	"regexp"
	"testing"
)

func TestRegexp_IsThatOfRegexp(t *testing.T) {
	const text, s = `a(b+)(c)?`, "xabbcabyab"
	lazy, eager := New(text), regexp.MustCompile(text)
	for name, got := range map[string][2]any{
		"MatchString":                {lazy.MatchString(s), eager.MatchString(s)},
		"FindStringIndex":            {lazy.FindStringIndex(s), eager.FindStringIndex(s)},
		"FindStringSubmatch":         {lazy.FindStringSubmatch(s), eager.FindStringSubmatch(s)},
		"FindStringSubmatchIndex":    {lazy.FindStringSubmatchIndex(s), eager.FindStringSubmatchIndex(s)},
		"FindAllStringIndex":         {lazy.FindAllStringIndex(s, 2), eager.FindAllStringIndex(s, 2)},
		"FindAllStringSubmatch":      {lazy.FindAllStringSubmatch(s, -1), eager.FindAllStringSubmatch(s, -1)},
		"FindAllStringSubmatchIndex": {lazy.FindAllStringSubmatchIndex(s, -1), eager.FindAllStringSubmatchIndex(s, -1)},
	} {
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s: got %v, want %v", name, got[0], got[1])
		}
	}
}

func TestNew_CompilesAtOnceInATest(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a wrong one was not found")
		}
	}()
	New(`a(`)
}

func TestNew_CompilesNothingElsewhere(t *testing.T) {
	inTest = false
	defer func() { inTest = true }()
	re := New(`a(`)
	defer func() {
		if recover() == nil {
			t.Error("a wrong one was used")
		}
	}()
	re.MatchString("a")
}
