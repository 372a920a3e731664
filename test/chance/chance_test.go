package chance

import (
	"slices"
	"testing"
	"time"
)

func TestSeeds_TheSameInEveryRun(t *testing.T) {
	t.Setenv("OUTRIGGER_TEST_SEED", "")
	t.Setenv("OUTRIGGER_TEST_LONG", "")
	if got := slices.Collect(Seeds(t, 3)); !slices.Equal(got, []uint64{1, 2, 3}) || Seed(t) != 1 {
		t.Errorf("seeds are %v and %d", got, Seed(t))
	}
}

func TestSeeds_OneThatIsAskedFor(t *testing.T) {
	t.Setenv("OUTRIGGER_TEST_SEED", "42")
	t.Setenv("OUTRIGGER_TEST_LONG", "")
	if got := slices.Collect(Seeds(t, 3)); !slices.Equal(got, []uint64{42}) || Seed(t) != 42 {
		t.Errorf("seeds are %v and %d", got, Seed(t))
	}
}

func TestSeeds_FreshOnesForAsLongAsIsAskedFor(t *testing.T) {
	t.Setenv("OUTRIGGER_TEST_SEED", "")
	t.Setenv("OUTRIGGER_TEST_LONG", "20ms")
	var got [2][]uint64
	for i := range got {
		began := time.Now()
		got[i] = slices.Collect(Seeds(t, 3))
		if took := time.Since(began); len(got[i]) < 3 || took < 10*time.Millisecond {
			t.Errorf("%d seeds in %v", len(got[i]), took)
		}
	}
	if got[0][0] == got[1][0] {
		t.Errorf("both runs begin with %d", got[0][0])
	}
}
