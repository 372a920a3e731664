package memory

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/test/storetest"

	"pgregory.net/rapid"
)

func TestMemoryDoesWhatAStoreDoes(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, c claims.Limits) claims.Store { return New(c, storetest.Unbounded{}) })
}

func TestMemoryBoundsWhatItKeeps(t *testing.T) {
	storetest.RunBounded(t, func(_ *testing.T, l claims.Limits) claims.Store { return New(l, storetest.Unbounded{}) },
		func(s claims.Store) int64 { return s.(*Store).evicted.Used() + s.(*Store).markers.All()*quota.Marker })
}

func TestMemoryForgetsAfterTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(storetest.Roomy(), storetest.Unbounded{})
		done, lost, running := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(true)
		storetest.MustBegin(t, s, running, claims.Claimed)
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, done, claims.Claimed), storetest.Created()); err != nil {
			t.Fatal(err)
		}
		if err := s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - 1)
		storetest.MustBegin(t, s, done, claims.Done)
		storetest.MustBegin(t, s, lost, claims.Unknown)
		time.Sleep(time.Nanosecond)
		storetest.MustBegin(t, s, done, claims.Claimed)
		storetest.MustBegin(t, s, lost, claims.Claimed)
		time.Sleep(time.Hour)
		storetest.MustBegin(t, s, running, claims.Running)
	})
}

func TestMemoryFreesExpiredEntriesThatNobodyAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(storetest.Roomy(), storetest.Unbounded{})
		for range 10 {
			if err := s.Finish(t.Context(), storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed), storetest.Created()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(55 * time.Minute)
		storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed)
		if got, want := len(s.entries), 5; got != want {
			t.Errorf("%d entries are left, want %d", got, want)
		}
	})
}

func TestMemoryEvictsTheLeastRecentlyUsed(t *testing.T) {
	s := New(claims.Limits{TTL: time.Hour, Bytes: 4*quota.Overhead + 8}, storetest.Unbounded{})
	empty := &claims.Answer{Status: 200}
	calls := []claims.Call{storetest.NewCall(false), storetest.NewCall(false), storetest.NewCall(false), storetest.NewCall(false), storetest.NewCall(false)}
	for _, call := range calls[:4] {
		if err := s.Finish(t.Context(), storetest.MustBegin(t, s, call, claims.Claimed), empty); err != nil {
			t.Fatal(err)
		}
	}
	storetest.MustBegin(t, s, calls[0], claims.Done) // now the second is the least recently used
	storetest.MustBegin(t, s, calls[4], claims.Claimed)
	for i, want := range []claims.State{claims.Done, 0, claims.Done, claims.Done, claims.Running} {
		if want != 0 {
			storetest.MustBegin(t, s, calls[i], want)
		}
	}
	storetest.MustBegin(t, s, calls[1], claims.Claimed)
}

func TestMemoryEvictsAnswersOfComputesBeforeThoseOfCreates(t *testing.T) {
	s := New(claims.Limits{TTL: time.Hour, Bytes: 3 * quota.Overhead}, storetest.Unbounded{})
	create, lost, compute := storetest.NewCall(true), storetest.NewCall(true), storetest.NewCall(false)
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, create, claims.Claimed), &claims.Answer{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Lose(t.Context(), storetest.MustBegin(t, s, lost, claims.Claimed), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, compute, claims.Claimed), &claims.Answer{}); err != nil {
		t.Fatal(err)
	}
	storetest.MustBegin(t, s, storetest.NewCall(false), claims.Claimed)
	storetest.MustBegin(t, s, create, claims.Done)
	storetest.MustBegin(t, s, lost, claims.Unknown)
	storetest.MustBegin(t, s, compute, claims.Claimed)
}

// Nothing that runs is evicted, everything else stays within its bytes, and the account is
// exact.
func TestMemoryStaysWithinItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const room = 20 * quota.Overhead
		s := New(claims.Limits{TTL: time.Hour, Bytes: room}, storetest.Unbounded{})
		running := make(map[claims.Key]claims.Claim)
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				call := storetest.NewCall(rapid.Bool().Draw(t, "create"))
				call.Owner[0] = rapid.Byte().Draw(t, "owner") % 3
				claim, err := s.Begin(t.Context(), call)
				if errors.Is(err, claims.ErrFull) && call.Create {
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
					} else if err := s.Finish(t.Context(), claim, &claims.Answer{Body: make([]byte, size)}); (err == nil) != (int64(size) <= s.Largest()) {
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

func checkAccount(t *rapid.T, s *Store, running map[claims.Key]claims.Claim, room int64) {
	sum, inFlight, lost, creates := int64(0), 0, int64(0), int64(0)
	for _, e := range s.entries {
		sum += e.cost()
		switch {
		case e.state == claims.Running:
			inFlight++
			if e.call.Create {
				creates++
			}
		case e.state == claims.Unknown && !e.evicted:
			lost++
		}
	}
	if sum != s.used || inFlight != len(running) || lost+creates != s.markers.All() {
		t.Fatalf("account %d and %d for %d and %d bytes, %d in flight, want %d", s.used, s.markers.All(), sum, lost+creates, inFlight, len(running))
	}
	if s.markers.All() > s.markers.Most() || s.markers.All()*quota.Marker+s.evicted.Used() > room/quota.MarkerShare {
		t.Fatalf("%d markers and %d bytes of answers that made room, of %d", s.markers.All(), s.evicted.Used(), room)
	}
	if s.used > room && s.answers.Used() > 0 {
		t.Fatalf("%d of %d bytes used, and answers of %d kept", s.used, room, s.answers.Used())
	}
	aged := 0
	for e := s.ages.first; e != nil; e = e.links[byAge].after {
		aged++
	}
	if listed := listed(s, &s.answers) + listed(s, &s.evicted) + int(lost); listed != aged || listed != len(s.entries)-inFlight {
		t.Fatalf("%d in shares, %d by age, %d ended", listed, aged, len(s.entries)-inFlight)
	}
}

// listed counts the entries of m that are in a list, and checks which owner is first.
func listed(m *Store, in *evictable) int {
	n := 0
	seen := make(map[claims.Owner]bool)
	for _, e := range m.entries {
		own := in.Of(e.call.Owner)
		if own == nil || seen[own.Owner] {
			continue
		}
		seen[own.Owner] = true
		for i := range own.Kept {
			for e := own.Kept[i].first; e != nil; e = e.links[byUse].after {
				n++
			}
		}
		if own.Used > in.Largest().Used {
			panic("the largest share is not first")
		}
	}
	return n
}

// An answer takes no more memory than it counts for, whatever the caller's buffer.
func TestMemoryKeepsAnswersInExactlyTheirSize(t *testing.T) {
	s := New(claims.Limits{TTL: time.Hour, Bytes: 8 << 20}, storetest.Unbounded{})
	call := storetest.NewCall(false)
	given := &claims.Answer{Status: 200, Header: storetest.Created().Header, Body: make([]byte, 100<<10, 190<<10)}
	given.Body[0] = 'x'
	if err := s.Finish(t.Context(), storetest.MustBegin(t, s, call, claims.Claimed), given); err != nil {
		t.Fatal(err)
	}
	given.Body[0] = 'y'
	if kept := s.entries[call.Key].answer; cap(kept) > 110<<10 || int64(cap(kept)) > s.used+8<<10 {
		t.Errorf("%d bytes are kept of one of 100 KiB, and %d counted", cap(kept), s.used)
	}
	if got := storetest.MustBegin(t, s, call, claims.Done).Answer.Body; got[0] != 'x' || cap(got) != len(got) {
		t.Errorf("the body is %q in a slice of %d, want x and %d", got[0], cap(got), len(got))
	}
}

func BenchmarkMemory(b *testing.B) {
	s := New(claims.Limits{TTL: time.Hour, Bytes: 64 << 20}, storetest.Unbounded{})
	answer := &claims.Answer{Status: 200, Header: storetest.Created().Header, Body: make([]byte, 4<<10)}
	b.ReportAllocs()
	for b.Loop() {
		claim, err := s.Begin(b.Context(), storetest.NewCall(false))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Finish(b.Context(), claim, answer); err != nil {
			b.Fatal(err)
		}
	}
}
