package priority

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestParse_ReadsTheThreeNamesOnly(t *testing.T) {
	for text, want := range map[string]Priority{"high": High, "normal": Normal, "low": Low} {
		got, err := Parse(text)
		if got != want || err != nil || got.String() != text || All[got.Index()] != got {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
		var read Priority
		if err := read.UnmarshalText([]byte(text)); err != nil || read != want {
			t.Errorf("%s: read %v, %v", text, read, err)
		}
	}
	for _, text := range []string{"", "HIGH", "urgent", "1", " low"} {
		if _, err := Parse(text); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: got %v, want ErrUnknown", text, err)
		}
	}
	if Priority(100).Index() != 0 || Priority(-100).Index() != Count-1 {
		t.Error("a priority beyond the others is none of theirs")
	}
}

// taken counts the turns of n that each gets.
func taken(turns *Turns, waiting Counts, n int) Counts {
	var got Counts
	for range n {
		p, ok := turns.Next(&waiting)
		if !ok {
			break
		}
		turns.Take(p)
		waiting[p.Index()]--
		got[p.Index()]++
	}
	return got
}

func TestTurns_AreSharedByWeight(t *testing.T) {
	const many = 1_000_000
	for name, tt := range map[string]struct {
		waiting, want Counts
		n             int
	}{
		"all three":           {Counts{many, many, many}, Counts{800, 400, 100}, 1300},
		"high and low":        {Counts{many, 0, many}, Counts{800, 0, 100}, 900},
		"normal and low":      {Counts{0, many, many}, Counts{0, 400, 100}, 500},
		"low alone":           {Counts{0, 0, many}, Counts{0, 0, 100}, 100},
		"few high before low": {Counts{20, 0, 200}, Counts{20, 0, 3}, 23},
	} {
		if got := taken(new(Turns), tt.waiting, tt.n); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestTurns_UnusedOnesAreNotMadeUpFor(t *testing.T) {
	var turns Turns
	taken(&turns, Counts{0, 0, 1000}, 1000)
	turns.Begin(High)
	turns.Begin(Low)
	if got := taken(&turns, Counts{1000, 0, 1000}, 90); got != (Counts{81, 0, 9}) {
		t.Errorf("%v of 90 turns after low had 1000 alone, want 81 and 9: high begins", got)
	}
	var other Turns
	taken(&other, Counts{1000, 0, 0}, 1000)
	other.Begin(Low)
	if got := taken(&other, Counts{1000, 0, 1000}, 90); got != (Counts{80, 0, 10}) {
		t.Errorf("%v of 90 turns after high had 1000 alone, want 80 and 10", got)
	}
}

// TestTurns_AheadForetellsTheOrder: what is told of one that comes is what then happens, and each
// priority gets at least a thirteenth of the turns while it waits.
func TestTurns_AheadForetellsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var turns Turns
		var waiting Counts
		come := func(i int) {
			if waiting[i] == 0 {
				turns.Begin(All[i])
			}
			waiting[i]++
		}
		index := rapid.IntRange(0, Count-1)
		for range rapid.IntRange(0, 200).Draw(t, "before") {
			if rapid.Bool().Draw(t, "comes") {
				come(index.Draw(t, "class"))
			} else if p, ok := turns.Next(&waiting); ok {
				turns.Take(p)
				waiting[p.Index()]--
			}
		}
		mine := index.Draw(t, "mine")
		own := waiting[mine]
		want := turns.Ahead(All[mine], own, waiting)
		come(mine)
		var got Counts
		for since := 0; ; since++ {
			p, _ := turns.Next(&waiting)
			if p == All[mine] {
				since = 0
			}
			if since > 12 {
				t.Fatalf("%v waits, and %d others had their turns", All[mine], since)
			}
			if p == All[mine] && got[mine] == own {
				break
			}
			turns.Take(p)
			waiting[p.Index()]--
			got[p.Index()]++
		}
		if got != want {
			t.Fatalf("%v went before it, %v were foretold", got, want)
		}
	})
}
