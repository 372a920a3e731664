package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

func TestTrips_SinceIsTheFirstRefusalAfterTheLastSuccess(t *testing.T) {
	t.Parallel()
	tr := policy.NewTrips[key, string](time.Minute, 100)
	equal(t, "before", tr.Since(key{1}), time.Time{})
	tr.Set(start, key{1}, "dead")
	tr.Set(start.Add(time.Hour), key{1}, "still dead")
	equal(t, "refused again", tr.Since(key{1}), start)
	tr.Clear(key{1})
	equal(t, "cleared", tr.Since(key{1}), time.Time{})
	tr.Set(start.Add(2*time.Hour), key{1}, "dead again")
	equal(t, "refused anew", tr.Since(key{1}), start.Add(2*time.Hour))
}
