package store

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestMemoryDoesWhatAStoreDoes(t *testing.T) {
	runSuite(t, func(_ *testing.T, c Limits) Store { return newMemory(c, unbounded{}) })
}

func TestMemoryBoundsWhatItKeeps(t *testing.T) {
	runBounded(t, func(_ *testing.T, l Limits) Store { return newMemory(l, unbounded{}) },
		func(s Store) int64 { return s.(*memory).spent.Used() + s.(*memory).lost.All()*Marker })
}

func TestMemoryForgetsAfterTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory(roomy(), unbounded{})
		done, lost, running := newCall(true), newCall(true), newCall(true)
		mustBegin(t, s, running, Claimed)
		if err := s.Finish(t.Context(), mustBegin(t, s, done, Claimed), created()); err != nil {
			t.Fatal(err)
		}
		if err := s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - 1)
		mustBegin(t, s, done, Done)
		mustBegin(t, s, lost, Unknown)
		time.Sleep(time.Nanosecond)
		mustBegin(t, s, done, Claimed)
		mustBegin(t, s, lost, Claimed)
		time.Sleep(time.Hour)
		mustBegin(t, s, running, Running)
	})
}

func TestMemoryFreesWhatExpiredWithoutBeingAskedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory(roomy(), unbounded{})
		for range 10 {
			if err := s.Finish(t.Context(), mustBegin(t, s, newCall(false), Claimed), created()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(55 * time.Minute)
		mustBegin(t, s, newCall(false), Claimed)
		if got, want := len(s.entries), 5; got != want {
			t.Errorf("%d entries are left, want %d", got, want)
		}
	})
}

func TestMemoryEvictsTheLeastRecentlyUsed(t *testing.T) {
	s := newMemory(Limits{TTL: time.Hour, Bytes: 4*Overhead + 8}, unbounded{})
	empty := &Answer{Status: 200}
	calls := []Call{newCall(false), newCall(false), newCall(false), newCall(false), newCall(false)}
	for _, call := range calls[:4] {
		if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), empty); err != nil {
			t.Fatal(err)
		}
	}
	mustBegin(t, s, calls[0], Done) // now the second is the least recently used
	mustBegin(t, s, calls[4], Claimed)
	for i, want := range []State{Done, 0, Done, Done, Running} {
		if want != 0 {
			mustBegin(t, s, calls[i], want)
		}
	}
	mustBegin(t, s, calls[1], Claimed)
}

func TestMemoryEvictsAnswersOfComputesBeforeThoseOfCreates(t *testing.T) {
	s := newMemory(Limits{TTL: time.Hour, Bytes: 3 * Overhead}, unbounded{})
	create, lost, compute := newCall(true), newCall(true), newCall(false)
	if err := s.Finish(t.Context(), mustBegin(t, s, create, Claimed), &Answer{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), mustBegin(t, s, compute, Claimed), &Answer{}); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, newCall(false), Claimed)
	mustBegin(t, s, create, Done)
	mustBegin(t, s, lost, Unknown)
	mustBegin(t, s, compute, Claimed)
}

// What runs is never evicted; all else stays within its bytes, and the account is
// exact.
func TestMemoryStaysWithinItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const room = 20 * Overhead
		s := newMemory(Limits{TTL: time.Hour, Bytes: room}, unbounded{})
		running := make(map[Key]Claim)
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				call := newCall(rapid.Bool().Draw(t, "create"))
				call.Owner[0] = rapid.Byte().Draw(t, "owner") % 3
				claim, err := s.Begin(t.Context(), call)
				if errors.Is(err, ErrFull) && call.Create {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				running[call.Key] = claim
			},
			"end": func(t *rapid.T) {
				for key, claim := range running {
					size := rapid.IntRange(0, int(s.Largest())+100).Draw(t, "size")
					if size%3 == 0 {
						if err := s.Lose(t.Context(), claim, 0); err != nil {
							t.Fatal(err)
						}
					} else if err := s.Finish(t.Context(), claim, &Answer{Body: make([]byte, size)}); (err == nil) != (int64(size) <= s.Largest()) {
						t.Fatalf("%d bytes: %v", size, err)
					}
					delete(running, key)
					return
				}
				t.Skip("nothing runs")
			},
			"": func(t *rapid.T) { checkAccount(t, s, running, room) },
		})
	})
}

func checkAccount(t *rapid.T, s *memory, running map[Key]Claim, room int64) {
	sum, inFlight, lost, creates := int64(0), 0, int64(0), int64(0)
	for _, e := range s.entries {
		sum += e.cost()
		switch {
		case e.state == Running:
			inFlight++
			if e.call.Create {
				creates++
			}
		case e.state == Unknown && !e.spent:
			lost++
		}
	}
	if sum != s.used || inFlight != len(running) || lost+creates != s.lost.All() {
		t.Fatalf("account %d and %d for %d and %d bytes, %d in flight, want %d", s.used, s.lost.All(), sum, lost+creates, inFlight, len(running))
	}
	if s.lost.All() > s.lost.Most() || s.lost.All()*Marker+s.spent.Used() > room/MarkerShare {
		t.Fatalf("%d markers and %d bytes of answers that made room, of %d", s.lost.All(), s.spent.Used(), room)
	}
	if s.used > room && s.answers.Used() > 0 {
		t.Fatalf("%d of %d bytes used, and answers of %d kept", s.used, room, s.answers.Used())
	}
	aged := 0
	for e := s.ages.first; e != nil; e = e.places[byAge].after {
		aged++
	}
	if listed := listed(s, &s.answers) + listed(s, &s.spent) + int(lost); listed != aged || listed != len(s.entries)-inFlight {
		t.Fatalf("%d in shares, %d by age, %d ended", listed, aged, len(s.entries)-inFlight)
	}
}

// listed counts the entries of m that are in a list, and checks which owner is first.
func listed(m *memory, in *evictable) int {
	n := 0
	seen := make(map[Owner]bool)
	for _, e := range m.entries {
		own := in.Of(e.call.Owner)
		if own == nil || seen[own.Owner] {
			continue
		}
		seen[own.Owner] = true
		for i := range own.Kept {
			for e := own.Kept[i].first; e != nil; e = e.places[byUse].after {
				n++
			}
		}
		if own.Used > in.Largest().Used {
			panic("the largest share is not first")
		}
	}
	return n
}

// What is kept of an answer takes no more memory than it counts for, whatever it came in.
func TestMemoryKeepsNoMoreOfAnAnswerThanThereIs(t *testing.T) {
	s := newMemory(Limits{TTL: time.Hour, Bytes: 8 << 20}, unbounded{})
	call := newCall(false)
	given := &Answer{Status: 200, Header: created().Header, Body: make([]byte, 100<<10, 190<<10)}
	given.Body[0] = 'x'
	if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), given); err != nil {
		t.Fatal(err)
	}
	given.Body[0] = 'y'
	if kept := s.entries[call.Key].answer; cap(kept) > 110<<10 || int64(cap(kept)) > s.used+8<<10 {
		t.Errorf("%d bytes are kept of one of 100 KiB, and %d counted", cap(kept), s.used)
	}
	if got := mustBegin(t, s, call, Done).Answer.Body; got[0] != 'x' || cap(got) != len(got) {
		t.Errorf("the body is %q in a slice of %d, want x and %d", got[0], cap(got), len(got))
	}
}

func BenchmarkMemory(b *testing.B) {
	s := newMemory(Limits{TTL: time.Hour, Bytes: 64 << 20}, unbounded{})
	answer := &Answer{Status: 200, Header: created().Header, Body: make([]byte, 4<<10)}
	b.ReportAllocs()
	for b.Loop() {
		claim, err := s.Begin(b.Context(), newCall(false))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(b.Context(), claim, answer); err != nil {
			b.Fatal(err)
		}
	}
}
