package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

// refuseAll takes in refusals every so often for a time, each with the same wait.
func refuseAll(s *policy.Streak, from time.Time, every, over, wait time.Duration, long bool) {
	for d := time.Duration(0); d <= over; d += every {
		s.Refused(from.Add(d), wait, long)
	}
}

func TestStreak_LastsOnlyAfterMoreThanAMinuteOfRefusals(t *testing.T) {
	t.Parallel()
	const never = false
	for name, tt := range map[string]struct {
		every, over, wait time.Duration
		long, lasts       bool
	}{
		"a minute of bare refusals":            {time.Second, 70 * time.Second, 0, false, never},
		"longer":                               {time.Second, 75 * time.Second, 0, false, true},
		"longer, but few":                      {30 * time.Second, 90 * time.Second, 0, false, never},
		"few, for longer":                      {30 * time.Second, 2 * time.Minute, 0, false, true},
		"many at once":                         {time.Millisecond, 900 * time.Millisecond, 0, false, never},
		"far between":                          {6 * time.Minute, 3 * time.Hour, 0, false, never},
		"a second each time":                   {time.Second, 76 * time.Second, time.Second, false, true},
		"half a minute each time, for minutes": {30 * time.Second, 4 * time.Minute, 30 * time.Second, false, never},
		"half a minute each time, ten times":   {30 * time.Second, 5 * time.Minute, 30 * time.Second, false, true},
		"a day, once":                          {time.Hour, 0, 24 * time.Hour, true, never},
		"a day, twice at once":                 {time.Second, 10 * time.Second, 24 * time.Hour, true, never},
		"a day, again after a minute":          {time.Minute, time.Minute, 24 * time.Hour, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s policy.Streak
			refuseAll(&s, start, tt.every, tt.over, tt.wait, tt.long)
			equal(t, "lasts", s.Lasts(), tt.lasts)
		})
	}
}

func TestStreak_OneBareRefusalAmongLongWaitsTakesTheLongerTime(t *testing.T) {
	t.Parallel()
	var s policy.Streak
	s.Refused(start, 0, false)
	refuseAll(&s, start.Add(time.Second), time.Minute, 2*time.Minute, 24*time.Hour, true)
	equal(t, "lasts", s.Lasts(), false)
}

func TestStreak_EndsWithASuccessThatWasSentSinceItBegan(t *testing.T) {
	t.Parallel()
	var s policy.Streak
	refuseAll(&s, start, time.Second, 2*time.Minute, 0, false)
	s.Succeeded(start.Add(-time.Second)) // accepted before
	equal(t, "an earlier one", s.Lasts(), true)
	equal(t, "is suspected", s.Suspect(start.Add(2*time.Minute)), true)
	equal(t, "not for ever", s.Suspect(start.Add(2*time.Hour)), false)
	s.Succeeded(start)
	equal(t, "a later one", s.Lasts(), false)
	equal(t, "is not suspected", s.Suspect(start.Add(2*time.Minute)), false)
	if at, n := s.Since(); !at.IsZero() || n != 0 {
		t.Errorf("since %v, %d", at, n)
	}
}

// TestStreak_NeverForgetsASuccess holds what callers rely on, whatever comes: a streak lasts only
// if nothing that was sent since 55 s before its latest refusal succeeded.
func TestStreak_NeverForgetsASuccess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s policy.Streak
		now, refused, success := start, 0, start
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "pause")) * time.Millisecond)
			if rapid.IntRange(0, 30).Draw(t, "kind") == 0 {
				s.Succeeded(now)
				success, refused = now, 0
			} else {
				long := rapid.Bool().Draw(t, "long")
				s.Refused(now, time.Duration(rapid.IntRange(0, 60).Draw(t, "wait"))*time.Second, long)
				refused++
			}
			if s.Lasts() && (now.Sub(success) < 55*time.Second || refused < 2) {
				t.Fatalf("lasts %v after a success and %d refusals", now.Sub(success), refused)
			}
		}
	})
}
