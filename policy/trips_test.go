package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
)

// key is what callers use: the start of a hash.
type key [16]byte

// trips is a memory with the default cooldown, and check what it knows, as one value.
type trips = policy.Trips[key, string]

type known struct {
	Answer string
	State  policy.TripState
}

func check(t *trips, now time.Time, k key) known {
	answer, state := t.Check(now, k)
	return known{answer, state}
}

func TestTrips_TellTheirStory(t *testing.T) {
	t.Parallel()
	tr := policy.NewTrips[key, string](time.Minute, 100)
	dead, other := key{1}, key{2}
	equal(t, "before", check(tr, start, dead), known{"", policy.Clear})

	tr.Set(start, dead, "no credit")
	equal(t, "at once", check(tr, start, dead), known{"no credit", policy.Tripped})
	equal(t, "another credential", check(tr, start, other), known{"", policy.Clear})
	equal(t, "to the end of the cooldown", check(tr, start.Add(time.Minute-1), dead), known{"no credit", policy.Tripped})

	now := start.Add(time.Minute)
	equal(t, "then one probe", check(tr, now, dead), known{"no credit", policy.Probe})
	equal(t, "and nobody else", check(tr, now, dead), known{"no credit", policy.Tripped})

	now = now.Add(2 * time.Second)
	tr.Set(now, dead, "still no credit")
	equal(t, "still dead", check(tr, now.Add(time.Minute-1), dead), known{"still no credit", policy.Tripped})
	now = now.Add(time.Minute)
	equal(t, "the next probe", check(tr, now, dead), known{"still no credit", policy.Probe})

	tr.Clear(dead)
	equal(t, "alive", check(tr, now, dead), known{"", policy.Clear})
	tr.Clear(dead) // does nothing
}

func TestTrips_AProbeThatIsLostIsReplacedAfterACooldown(t *testing.T) {
	t.Parallel()
	tr := policy.NewTrips[key, string](time.Minute, 100)
	tr.Set(start, key{1}, "dead")
	now := start.Add(time.Hour)
	for range 3 {
		equal(t, "probe", check(tr, now, key{1}), known{"dead", policy.Probe})
		equal(t, "meanwhile", check(tr, now.Add(time.Minute-1), key{1}), known{"dead", policy.Tripped})
		now = now.Add(time.Minute)
	}
}

func TestTrips_AProbeThatFoundNothingOutIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	tr := policy.NewTrips[key, string](time.Minute, 100)
	tr.Release(start, key{1}) // nothing there
	tr.Set(start, key{1}, "dead")
	tr.Release(start, key{1}) // no probe under way: the cooldown stands
	equal(t, "tripped", check(tr, start, key{1}), known{"dead", policy.Tripped})

	now := start.Add(time.Minute)
	equal(t, "probe", check(tr, now, key{1}), known{"dead", policy.Probe})
	tr.Release(now, key{1})
	tr.Release(now.Add(time.Second), key{1}) // twice is once
	equal(t, "next probe", check(tr, now, key{1}), known{"dead", policy.Probe})
	equal(t, "one only", check(tr, now, key{1}), known{"dead", policy.Tripped})

	tr.Set(now, key{1}, "dead") // meanwhile another attempt was refused as well
	tr.Release(now, key{1})
	equal(t, "a late release", check(tr, now, key{1}), known{"dead", policy.Tripped})
}

func TestTrips_ForgetWhatWasAskedForLongestAgo(t *testing.T) {
	t.Parallel()
	tr := policy.NewTrips[key, string](time.Minute, 2)
	tr.Set(start, key{1}, "one")
	tr.Set(start, key{2}, "two")
	check(tr, start, key{1})
	tr.Set(start, key{3}, "three")

	type entry struct {
		Key    key
		Answer string
		Until  time.Time
	}
	var got []entry
	tr.Each(func(k key, answer string, until time.Time) bool {
		got = append(got, entry{k, answer, until})
		return true
	})
	until := start.Add(time.Minute)
	equal(t, "kept", got, []entry{{key{3}, "three", until}, {key{1}, "one", until}})
	equal(t, "forgotten", check(tr, start, key{2}), known{"", policy.Clear})

	tr.Set(start, key{1}, "one again") // moves, and does not grow
	var first []key
	tr.Each(func(k key, _ string, _ time.Time) bool {
		first = append(first, k)
		return false
	})
	equal(t, "until false", first, []key{{1}})
}

func TestTrips_WithoutACooldownRememberNothing(t *testing.T) {
	t.Parallel()
	for _, cooldown := range []time.Duration{0, -time.Second} {
		tr := policy.NewTrips[key, string](cooldown, 0)
		tr.Set(start, key{1}, "dead")
		equal(t, "clear", check(tr, start, key{1}), known{"", policy.Clear})
	}
}

// TestTrips_LetOneProbeThroughPerCooldown drives a small memory at random and
// holds what others rely on: it stays bounded, a key asked without a trip is
// clear, and while a probe is under way there is no second.
func TestTrips_LetOneProbeThroughPerCooldown(t *testing.T) {
	t.Parallel()
	const cooldown, limit = time.Minute, 3
	rapid.Check(t, func(t *rapid.T) {
		tr := policy.NewTrips[key, string](cooldown, limit)
		now, set, probed := start, map[key]bool{}, map[key]time.Time{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "pause")) * time.Second)
			k := key{rapid.Byte().Draw(t, "key") % 5}
			switch rapid.SampledFrom([]string{"check", "check", "check", "set", "clear", "release"}).Draw(t, "step") {
			case "check":
				_, state := tr.Check(now, k)
				if state != policy.Clear && !set[k] {
					t.Fatalf("%v without a trip", state)
				}
				if state != policy.Probe {
					break
				}
				if at, ok := probed[k]; ok && now.Sub(at) < cooldown {
					t.Fatalf("a second probe %v after the first", now.Sub(at))
				}
				probed[k] = now
			case "set":
				tr.Set(now, k, "dead")
				set[k] = true
				delete(probed, k)
			case "clear":
				tr.Clear(k)
				delete(set, k)
				delete(probed, k)
			case "release":
				tr.Release(now, k)
				delete(probed, k)
			}
			n := 0
			tr.Each(func(key, string, time.Time) bool { n++; return true })
			if n > limit {
				t.Fatalf("%d keys remembered, want at most %d", n, limit)
			}
		}
	})
}

func TestTripStatesPrintInLowerCase(t *testing.T) {
	t.Parallel()
	for s, want := range map[policy.TripState]string{
		policy.Clear: "clear", policy.Tripped: "tripped", policy.Probe: "probe", 9: "unknown",
	} {
		equal(t, "state", s.String(), want)
	}
}

// bounded has keys by owner, and answers as large as they are long.
func bounded(most, each int) *policy.Trips[string, string] {
	tr := policy.NewTrips[string, string](time.Minute, 1000)
	tr.Bound(policy.TripBounds[string, string]{
		Most: most, Each: each,
		Size:  func(_, answer string) int { return len(answer) },
		Owner: func(key string) string { return key[:1] },
	})
	return tr
}

func TestTrips_AFloodOfOneOwnerForgetsItsOwnOnly(t *testing.T) {
	tr, now := bounded(100, 40), time.Now()
	tr.Set(now, "a0", "0123456789")
	for i := range 1000 {
		tr.Set(now, fmt.Sprint("b", i), "0123456789")
		tr.Set(now, "b", "01234567890") // another size than before
	}
	if !tr.Holds(now, "a0") {
		t.Error("another owner's was forgotten")
	}
	n := 0
	tr.Each(func(key, _ string, _ time.Time) bool { n++; return true })
	if n != 1+3 {
		t.Errorf("%d are remembered, want a's and three of 10 bytes or 11 in 40", n)
	}
}

func TestTrips_AllAreBoundedInSize(t *testing.T) {
	tr, now := bounded(100, 100), time.Now()
	for _, owner := range "abcdefghijklmnop" {
		tr.Set(now, string(owner), "0123456789")
	}
	n := 0
	tr.Each(func(key, _ string, _ time.Time) bool { n++; return key >= "g" })
	if n != 10 {
		t.Errorf("%d are remembered, want the last ten", n)
	}
	if tr.Set(now, "z", strings.Repeat("0", 101)); tr.Holds(now, "z") {
		t.Error("one is remembered that is larger than all may be")
	}
}

func TestTrips_WhatNobodyAsksForGoesByTime(t *testing.T) {
	tr, now := bounded(100, 100), time.Now()
	tr.Set(now, "asked", "")
	tr.Set(now, "not asked", "")
	tr.Check(now.Add(59*time.Second), "asked")
	if !tr.Tidy(now.Add(119*time.Second)) || !tr.Tidy(now.Add(2*time.Minute)) {
		t.Error("none is left")
	}
	left := []string{}
	tr.Each(func(key, _ string, _ time.Time) bool { left = append(left, key); return true })
	if len(left) != 1 || left[0] != "asked" {
		t.Errorf("%v are left after two minutes, want the one that was asked for", left)
	}
	if tr.Tidy(now.Add(3 * time.Minute)) {
		t.Error("one is left that nobody asks for")
	}
}
