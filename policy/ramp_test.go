package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

// line is more waiters than a test lets out.
const line = 1 << 40

func TestRamp_TellsItsStory(t *testing.T) {
	t.Parallel()
	r := policy.NewRamp(start)
	equal(t, "at once", r.Take(start, line), 4)
	equal(t, "no more", r.Take(start, line), 0)

	// Twelve over the first 150 ms: one every 12.5 ms.
	equal(t, "the fifth", r.Next(start), start.Add(12500*time.Microsecond))
	equal(t, "just before", r.Take(start.Add(12500*time.Microsecond-1), line), 0)
	equal(t, "on time", r.Take(start.Add(12500*time.Microsecond), line), 1)
	equal(t, "the sixth", r.Next(start), start.Add(25*time.Millisecond))

	for i, want := range []int{11, 36, 108, 324, 972} {
		equal(t, "step", r.Take(start.Add(time.Duration(i+1)*150*time.Millisecond), line), want)
	}
}

func TestRamp_LetsFiveHundredOutWithinSevenTenthsOfASecond(t *testing.T) {
	t.Parallel()
	r, now, out := policy.NewRamp(start), start, 0
	for range 500 {
		out += r.Take(now, 500-out)
		if out == 500 {
			break
		}
		now = r.Next(now)
	}
	equal(t, "let out", out, 500)
	if d := now.Sub(start); d > 700*time.Millisecond || d < 600*time.Millisecond {
		t.Errorf("500 are out after %v, want 600 ms to 700 ms", d)
	}
}

func TestRamp_WhatNobodyUsedStaysAllowed(t *testing.T) {
	t.Parallel()
	r := policy.NewRamp(start)
	equal(t, "one waits", r.Take(start, 1), 1)
	equal(t, "another may go at once", r.Next(start), start)
	equal(t, "nobody waits", r.Take(start, 0), 0)
	equal(t, "nonsense", r.Take(start, -5), 0)
	equal(t, "the other three", r.Take(start, 10), 3)
}

func TestRamp_BeforeItsStartLetsNobodyOut(t *testing.T) {
	t.Parallel()
	r := policy.NewRamp(start)
	equal(t, "before", r.Take(start.Add(-time.Second), line), 0)
	equal(t, "next", r.Next(start.Add(-time.Second)), start)
}

func TestRamp_GoesOnWithoutEndAndWithoutOverflow(t *testing.T) {
	t.Parallel()
	r := policy.NewRamp(start)
	before := 0
	for _, d := range []time.Duration{2 * time.Second, time.Minute, time.Hour, 1000 * time.Hour} {
		n := r.Take(start.Add(d), line)
		if n <= before {
			t.Errorf("%v after the start: %d let out, want more than the %d of before", d, n, before)
		}
		before = n
		if next := r.Next(start.Add(d)); next.Sub(start.Add(d)) > time.Microsecond {
			t.Errorf("%v after the start the next one goes only at %v", d, next.Sub(start))
		}
	}
}

// TestRamp_NextIsTheMomentOfTheNext holds Take and Next together: nobody may go
// before the time that Next names, and one may at it.
func TestRamp_NextIsTheMomentOfTheNext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, now := policy.NewRamp(start), start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200_000).Draw(t, "pause")) * time.Microsecond)
			r.Take(now, rapid.IntRange(0, 5000).Draw(t, "waiting"))
			next := r.Next(now)
			if next.Before(now) {
				t.Fatalf("the next one goes %v ago", now.Sub(next))
			}
			early := *r
			if next.After(now) && early.Take(next.Add(-1), line) != 0 {
				t.Fatalf("one may go before %v", next.Sub(start))
			}
			if onTime := *r; onTime.Take(next, 1) != 1 {
				t.Fatalf("nobody may go at %v", next.Sub(start))
			}
		}
	})
}
