package limit

import (
	"testing"
	"time"
)

// waits is a refusal that names a wait and no more.
var waits = Refusal{Hint: time.Second}

// plenty are headers that tell nearly all of a limit to remain, and little those of one
// that is nearly used up.
var plenty, little = Headers{Readings: []Reading{{Dimension: "requests", Limit: 6000, Remaining: 5900, Reset: time.Second}}},
	Headers{Readings: []Reading{{Dimension: "requests", Limit: 6000, Remaining: 3, Reset: time.Minute}}}

func TestChance_IsBelievedOfWhatNothingExplains(t *testing.T) {
	tests := map[string]struct {
		refusal Refusal
		want    bool
	}{
		"a wait":                        {waits, true},
		"a wait, plenty remains":        {Refusal{Hint: time.Second, Headers: plenty}, true},
		"a wait, little remains":        {Refusal{Hint: time.Second, Headers: little}, false},
		"a limit":                       {Refusal{Hint: time.Second, Limit: 10}, false},
		"a wait of a dimension":         {Refusal{Hint: time.Second, Dimension: "requests"}, true},
		"what is not counted":           {Refusal{Hint: time.Second, Dimension: "concurrency"}, false},
		"slow down":                     {Refusal{Hint: time.Second, SlowDown: true}, false},
		"a wait that is not believed":   {Refusal{Hint: maxHint + 1}, false},
		"a wait that is known as false": {Refusal{Hint: time.Second, HintFalse: true}, false},
		"nothing":                       {Refusal{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := New(Settings{Learn: true}, origin)
			now := sends(t, l, 0, 20)
			if got := l.Chance(at(now), tt.refusal); got != tt.want {
				t.Errorf("chance is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestChance_EndsWithSeveralRefusalsInARow(t *testing.T) {
	l := New(Settings{Learn: true}, origin)
	now := sends(t, l, 0, 20)
	for i := range chanceRow - 1 {
		if !l.Chance(at(now), waits) {
			t.Fatalf("refusal %d was taken for a limit's", i+1)
		}
	}
	if l.Chance(at(now), waits) {
		t.Error("the fourth in a row was taken for chance")
	}
}

// TestChance_IsHeldForAWhile: after several refusals amid others that passed it takes most
// of sixteen to believe in a limit.
func TestChance_IsHeldForAWhile(t *testing.T) {
	l := New(Settings{Learn: true}, origin)
	now := sends(t, l, 0, 20)
	for _, n := range []int{9, 3, 12, 5, 8, 16, 16} {
		if !l.Chance(at(now), waits) {
			t.Fatal("one among many that passed was taken for a limit's")
		}
		now = sends(t, l, now, n)
	}
	for i := range chanceLost - 1 {
		if !l.Chance(at(now), waits) {
			t.Fatalf("refusal %d in a row was taken for a limit's", i+1)
		}
	}
	if l.Chance(at(now), waits) {
		t.Errorf("%d in a row were taken for chance", chanceLost)
	}
}

func TestChance_IsNoneWhereManyWait(t *testing.T) {
	l := New(Settings{Learn: true}, origin)
	now := sends(t, l, 0, 20)
	l.hold(at(now), time.Millisecond)
	for range crowdedQueue + 1 {
		l.Enter(at(now), &Waiter{})
	}
	if l.Chance(at(now+2*time.Millisecond), waits) {
		t.Error("a refusal amid a burst was taken for chance")
	}
}

func TestChance_IsNoneWhereMostOfALimitIsUsed(t *testing.T) {
	l := New(Settings{Learn: true, RPM: 660}, origin)
	if now := sends(t, l, 0, 60); l.Chance(at(now), waits) {
		t.Error("a refusal at ten of eleven per second was taken for chance")
	}
	l = New(Settings{Learn: true, RPM: 6000}, origin)
	if now := sends(t, l, 0, 60); !l.Chance(at(now), waits) {
		t.Error("a refusal at ten of a hundred per second was taken for a limit's")
	}
}
