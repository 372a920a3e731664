package counts

import (
	"testing"
	"time"
)

func TestASecondIsNeverUndercounted(t *testing.T) {
	var s Second
	for _, step := range []struct {
		at, add, want int64 // milliseconds, units, units
	}{
		{0, 5, 5},
		{100, 1, 6},
		{500, 10, 16},
		{999, 0, 16},
		{1000, 0, 16}, // a bin longer than a second, not shorter
		{1124, 0, 16},
		{1125, 0, 10},
		{1600, 2, 12},
		{1624, 0, 12},
		{1625, 0, 2},
		{60_000, 3, 3},
		{59_000, 4, 7}, // time does not run back
	} {
		d := time.Duration(step.at) * time.Millisecond
		s.Add(d, step.add)
		if got := s.Sum(d); got != step.want {
			t.Errorf("at %v: %d, want %d", d, got, step.want)
		}
	}
}
