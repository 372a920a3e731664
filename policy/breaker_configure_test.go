package policy_test

import (
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

func TestBreaker_ConfigureKeepsTheState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := defaults()
		b := policy.NewBreaker(c, false)
		late, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		attempts(t, b, 9, classify.Fault)
		c.Window = time.Minute
		b.Configure(c, false)
		equal(t, "failures in a row", b.Snapshot().InARow, 9)
		late(classify.Success) // of the time before: it tells nothing
		attempts(t, b, 1, classify.Fault)
		equal(t, "after ten in a row", b.State(), policy.Open)
		since := b.OpenSince()

		time.Sleep(500 * time.Millisecond) // the bubble's clock
		c.Open = 10 * time.Second
		b.Configure(c, false)
		equal(t, "after a change", b.State(), policy.Open)
		equal(t, "open since", b.OpenSince(), since)
		equal(t, "opened", b.Snapshot().Opens, uint64(1))
		time.Sleep(9 * time.Second)
		equal(t, "within the new time", b.State(), policy.Open)
		time.Sleep(1001 * time.Millisecond)
		attempts(t, b, 1, classify.Success)
		equal(t, "after the probe", b.State(), policy.Closed)
	})
}

func TestBreaker_ConfigureWhetherItIsAlone(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Consecutive = -1
	b := policy.NewBreaker(c, true)
	attempts(t, b, 20, classify.Fault)
	equal(t, "alone", b.State(), policy.Closed)
	b.Configure(c, false)
	attempts(t, b, 1, classify.Fault)
	equal(t, "with another upstream", b.State(), policy.Open)
}

func TestBudget_ConfigureKeepsWhatWasCounted(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := policy.NewBudget(0, now)
	for range 100 {
		b.Request(now)
	}
	charge, _ := b.Spend(now)
	b.Settle(now, charge, true)
	equal(t, "without a share", b.Remaining(now), 9)
	b.Configure(0.5)
	equal(t, "with a share", b.Remaining(now), 59)
}

func TestTrips_ConfigureLeavesWhatIsRemembered(t *testing.T) {
	t.Parallel()
	now := time.Now()
	trips := policy.NewTrips[string, int](time.Minute, 10)
	trips.Set(now, "before", 1)
	trips.Configure(time.Hour)
	trips.Set(now, "after", 2)
	for key, want := range map[string]policy.TripState{"before": policy.Probe, "after": policy.Tripped} {
		_, got := trips.Check(now.Add(2*time.Minute), key)
		equal(t, key, got, want)
	}
}
