package limit

import (
	"testing"
	"time"
)

// usedUp is what is told of 1200 per minute when so many are used and all are
// back after reset.
func usedUp(used float64, reset time.Duration) Reading {
	return Reading{Dimension: "requests", Limit: 1200, Remaining: 1200 - used, Reset: reset, Resolution: time.Millisecond}
}

func TestTwoAnswersTellHowALimitComesBack(t *testing.T) {
	type step struct {
		at, reset time.Duration
		used      float64
	}
	s, ms := time.Second, time.Millisecond
	tests := map[string]struct {
		steps []step
		want  bool
	}{
		"one answer tells nothing":                  {[]step{{0, 30 * s, 600}}, false},
		"the reset stays where it is":               {[]step{{0, 30 * s, 600}, {2 * s, 28 * s, 610}}, true},
		"it moves on with what is used":             {[]step{{0, 30 * s, 600}, {2 * s, 31 * s, 620}}, false},
		"nothing is used, and less time is left":    {[]step{{0, 30 * s, 600}, {2 * s, 28 * s, 560}}, false},
		"too soon to tell":                          {[]step{{0, 30 * s, 600}, {100 * ms, 29900 * ms, 602}}, false},
		"a burst tells soon":                        {[]step{{0, 30 * s, 100}, {100 * ms, 29900 * ms, 500}}, true},
		"an answer to an earlier request":           {[]step{{2 * s, 28 * s, 610}, {0, 30 * s, 600}}, false},
		"a new minute changes nothing":              {[]step{{0, 30 * s, 600}, {2 * s, 28 * s, 610}, {31 * s, 59 * s, 20}}, true},
		"it is found out if it refills from now on": {[]step{{0, 30 * s, 600}, {2 * s, 28 * s, 610}, {4 * s, 31 * s, 620}, {6 * s, 32 * s, 640}}, false},
		"no reset": {[]step{{0, 30 * s, 600}, {2 * s, 0, 610}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var u resetMode
			for _, step := range tt.steps {
				u.learn(step.at, usedUp(step.used, step.reset), time.Minute)
			}
			if u.fixed != tt.want {
				t.Errorf("fixed is %v, want %v", u.fixed, tt.want)
			}
		})
	}
}

// TestTheBeginOfAMinuteIsNoHour answers as a minute of the clock does at its begin, where
// 1200 with 20 used and 59 s to go would be an hour's worth if it refilled.
func TestTheBeginOfAMinuteIsNoHour(t *testing.T) {
	l := New(learning, origin)
	for i := range 25 {
		w := pass(t, l, time.Duration(i)*200*time.Millisecond, &Waiter{})
		l.Answered(at(time.Duration(i)*200*time.Millisecond), w, Headers{Readings: []Reading{
			usedUp(float64(i+10), 59*time.Second-time.Duration(i)*200*time.Millisecond),
		}})
	}
	if l.bucket(slotRequestsLong).active || l.bucket(slotRequests).window != time.Minute {
		t.Errorf("%+v, want 1200 per minute alone", l.Snapshot(at(5*time.Second)).Buckets)
	}
}

// TestAMinuteOfTheClockTeachesNoWrongCost has a third of a minute's tokens used, evenly,
// by requests that cost just what was estimated: in the middle of the minute it looks as
// if the tokens came back, so that more was used than was seen.
func TestAMinuteOfTheClockTeachesNoWrongCost(t *testing.T) {
	const limit, each = 60_000, 100
	l := New(learning, origin)
	for i := range 60 * 10 {
		now := time.Duration(i) * 100 * time.Millisecond
		w := pass(t, l, now, &Waiter{Tokens: each})
		l.Answered(at(now), w, Headers{Readings: []Reading{{
			Dimension: "tokens", Limit: limit, Remaining: limit - float64(i+1)*each, Reset: time.Minute - now, Resolution: time.Millisecond,
		}}})
		if got := l.bucket(slotTokens).factor(); got < 0.98 || got > 1.02 {
			t.Fatalf("after %v a token costs %.2f, want 1", now, got)
		}
	}
}

// TestANewMinuteGoesOutAtOnce has nothing left of a minute of the clock until it ends.
func TestANewMinuteGoesOutAtOnce(t *testing.T) {
	up := requests(1200, window, 1200, false, told{headers: true})
	s := newSimulation(1, learning, jittery, up)
	r := s.run(burst(3600, 10, 100*time.Millisecond), 10*time.Minute)
	if most := 122 * time.Second; r.ok != 3600 || r.last > most || r.refused > 12 {
		t.Errorf("%d of 3600 by %v with %d refused, want all by %v (optimum 2m0s) and at most 12", r.ok, r.last, r.refused, most)
	}
}
