package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

func after(d time.Duration) time.Time { return start.Add(d) }

func TestLoading_OneAsksEachSecond(t *testing.T) {
	t.Parallel()
	var l policy.Loading
	equal(t, "before", l.Turn(start, time.Time{}, 0), 0)
	l.Told(start, 0, 0)
	equal(t, "at once", l.Turn(start, time.Time{}, 0), time.Second)
	equal(t, "one asks", l.Turn(after(time.Second), time.Time{}, 0), 0)
	equal(t, "and nobody else", l.Turn(after(time.Second), time.Time{}, 0), time.Second)
	l.Told(after(1100*time.Millisecond), 0, 0.5)
	equal(t, "with jitter", l.Turn(after(1100*time.Millisecond), time.Time{}, 0), 1125*time.Millisecond)
	equal(t, "was loading", l.Answered(after(2*time.Second)), true)
	equal(t, "after an answer", l.Turn(after(2*time.Second), time.Time{}, 0), 0)
	equal(t, "is loading", l.Answered(after(2*time.Second)), false)
}

func TestLoading_TheFirstEstimateIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	var l policy.Loading
	l.Told(start, 20*time.Second, 0)
	equal(t, "the estimate", l.Turn(start, time.Time{}, 0), 20*time.Second)
	l.Told(after(20*time.Second), 20*time.Second, 0)
	equal(t, "then a second", l.Turn(after(20*time.Second), time.Time{}, 0), time.Second)

	l = policy.Loading{}
	l.Told(start, time.Hour, 0)
	equal(t, "a long one is asked about", l.Turn(start, time.Time{}, 0), 20*time.Second)
	l.Told(after(20*time.Second), 5*time.Second, 0)
	equal(t, "an earlier one counts", l.Turn(after(20*time.Second), time.Time{}, 0), 5*time.Second)
}

func TestLoading_OthersGoOnWhereSomeServerAnswers(t *testing.T) {
	t.Parallel()
	var l policy.Loading
	l.Answered(start)
	own := l.Told(after(time.Second), 0, 0)
	equal(t, "others", l.Turn(after(time.Second), time.Time{}, 0), 0)
	equal(t, "the one who was told", l.Turn(after(time.Second), own, 0), 250*time.Millisecond)
	equal(t, "without a success since", l.Turn(after(2001*time.Millisecond), time.Time{}, 0), 0)
	equal(t, "one at a time", l.Turn(after(2002*time.Millisecond), time.Time{}, 0), 999*time.Millisecond)
}

func TestLoading_IsOverWhenNobodyIsToldAnyMore(t *testing.T) {
	t.Parallel()
	var l policy.Loading
	l.Told(start, 0, 0)
	equal(t, "for a while", l.Lasts(after(10*time.Second)), true)
	equal(t, "then no more", l.Lasts(after(11*time.Second)), false)
	equal(t, "a turn", l.Turn(after(11*time.Second), time.Time{}, 0), 0)
	equal(t, "for everybody", l.Turn(after(11*time.Second), time.Time{}, 0), 0)
	l.Told(after(time.Minute), 3*time.Second, 0)
	equal(t, "a new load has its own estimate", l.Turn(after(time.Minute), time.Time{}, 0), 3*time.Second)
}

// TestLoading_NeverAsksMoreOftenThanOnceASecond: however many wait and whatever they are told.
func TestLoading_NeverAsksMoreOftenThanOnceASecond(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var l policy.Loading
		now := start
		l.Told(now, 0, 0)
		last := now
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "pause")) * time.Millisecond)
			rand := rapid.Float64Range(0, 0.999).Draw(t, "rand")
			wait := l.Turn(now, time.Time{}, rand)
			switch {
			case wait < 0 || wait > 21*time.Second:
				t.Fatalf("a wait of %v", wait)
			case wait > 0:
				continue
			case now.Sub(last) < time.Second:
				t.Fatalf("asked again after %v", now.Sub(last))
			}
			last = now
			l.Told(now, time.Duration(rapid.IntRange(0, 40).Draw(t, "estimate"))*time.Second, rand)
		}
	})
}
