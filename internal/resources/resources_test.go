package resources

import (
	"math"
	"runtime/debug"
	"testing"
)

// setMemoryLimit sets the Go runtime's limit until the test ends.
func setMemoryLimit(t *testing.T, limit int64) {
	t.Helper()
	before := debug.SetMemoryLimit(limit)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
}

func TestTheHeapIsLimitedByTheControlGroupWhereNobodySaysOtherwise(t *testing.T) {
	const gibibyte = 1 << 30 // far above what a test takes
	for name, tt := range map[string]struct{ set, group, want int64 }{
		"no limit anywhere":            {math.MaxInt64, 0, math.MaxInt64},
		"a control group":              {math.MaxInt64, 10 * gibibyte, 8 * gibibyte},
		"GOMEMLIMIT, lower":            {3 * gibibyte, 10 * gibibyte, 3 * gibibyte},
		"GOMEMLIMIT, above the group":  {20 * gibibyte, 10 * gibibyte, 20 * gibibyte},
		"GOMEMLIMIT, no control group": {3 * gibibyte, 0, 3 * gibibyte},
	} {
		setMemoryLimit(t, tt.set)
		limitHeap(tt.group)
		if got := debug.SetMemoryLimit(-1); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestTheMemoryToStayUnderIsTheLowerLimit(t *testing.T) {
	const gibibyte = 1 << 30
	for name, tt := range map[string]struct{ set, group, want int64 }{
		"no limit anywhere":            {math.MaxInt64, 0, 0},
		"a control group":              {math.MaxInt64, 10 * gibibyte, 10 * gibibyte},
		"GOMEMLIMIT, lower":            {3 * gibibyte, 10 * gibibyte, 3 * gibibyte},
		"GOMEMLIMIT, above the group":  {20 * gibibyte, 10 * gibibyte, 10 * gibibyte},
		"GOMEMLIMIT, no control group": {3 * gibibyte, 0, 3 * gibibyte},
	} {
		setMemoryLimit(t, tt.set)
		if got := memory(tt.group); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
