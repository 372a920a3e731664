package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

func TestTrend_IllSinceWantsAFailureAfterTheSuccess(t *testing.T) {
	t.Parallel()
	var trend policy.Trend
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	trend.Note(at(1), false)
	equal(t, "nothing has succeeded", trend.IllSince(at(0)), false)
	trend.Note(at(2), true)
	equal(t, "an outage has ended", trend.IllSince(at(0)), false)
	trend.Note(at(3), false)
	equal(t, "it fails again", trend.IllSince(at(0)), true)
	equal(t, "the success was before", trend.IllSince(at(2)), false)
}
