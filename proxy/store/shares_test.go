package store

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/values"
)

// boundedStores are the stores that bound what they keep themselves.
var boundedStores = map[string]func(*testing.T, Config) Store{
	"memory": func(_ *testing.T, c Config) Store { return newMemory(c) },
	"file":   func(t *testing.T, c Config) Store { return openAt(t, newPath(t), c) },
}

func eachBounded(t *testing.T, bytes values.Bytes, test func(*testing.T, Store)) {
	t.Helper()
	for name, open := range boundedStores {
		t.Run(name, func(t *testing.T) { test(t, open(t, Config{TTL: time.Hour, Bytes: bytes})) })
	}
}

// callOf returns a call of an owner that no other test has.
func callOf(owner int, create bool) Call {
	call := newCall(create)
	binary.BigEndian.PutUint64(call.Owner[:], uint64(owner))
	return call
}

// finish does a call.
func finish(t *testing.T, s Store, call Call, size int) {
	t.Helper()
	if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), &Answer{Status: 201, Body: make([]byte, size)}); err != nil {
		t.Fatal(err)
	}
}

// lose loses n creates of an owner, less those that are refused, and returns the others.
func lose(t *testing.T, s Store, owner, n int) []Call {
	t.Helper()
	var all []Call
	for range n {
		call := callOf(owner, true)
		claim, err := s.Begin(t.Context(), call)
		switch {
		case errors.Is(err, ErrFull):
			continue
		case err == nil:
			err = s.Lose(t.Context(), claim, 504)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, call)
	}
	return all
}

func TestAFloodOfOneOwnerForgetsNothingOfAnother(t *testing.T) {
	eachBounded(t, 128<<10, func(t *testing.T, s Store) {
		done, compute, alone := callOf(1, true), callOf(1, false), callOf(2, true)
		finish(t, s, done, 100)
		finish(t, s, compute, 100)
		finish(t, s, alone, 100)
		lost := lose(t, s, 1, 20)
		for range 150 {
			finish(t, s, callOf(3, false), 1<<10)
			finish(t, s, callOf(3, true), 1<<10)
		}
		lose(t, s, 3, 150)
		mustBegin(t, s, done, Done)
		mustBegin(t, s, compute, Done)
		mustBegin(t, s, alone, Done)
		for _, call := range lost {
			mustBegin(t, s, call, Unknown)
		}
	})
}

// An answer that makes room leaves that there was one: the create is not done again.
func TestACreateWhoseAnswerMadeRoomIsKeptInMind(t *testing.T) {
	eachBounded(t, 64<<10, func(t *testing.T, s Store) {
		var calls []Call
		for range 10 {
			call := callOf(1, true)
			calls = append(calls, call)
			finish(t, s, call, 8<<10-100)
		}
		unknown := 0
		for _, call := range calls {
			claim, err := s.Begin(t.Context(), call)
			if err != nil || claim.State == Claimed {
				t.Fatalf("got %v, %v, want it done or unknown", claim.State, err)
			}
			if claim.State == Unknown {
				if unknown++; claim.Status != 201 {
					t.Errorf("status %d, want 201", claim.Status)
				}
			}
		}
		if unknown == 0 || unknown == len(calls) {
			t.Errorf("%d of %d made room", unknown, len(calls))
		}
		mustBegin(t, s, calls[len(calls)-1], Done)
	})
}

// A create that may have been done is not forgotten before its time, whoever fills the
// store, in whichever way. What is refused is what is new.
func TestACreateThatMayHaveBeenDoneMakesNoRoom(t *testing.T) {
	for name, flood := range map[string]func(*testing.T, Store){
		"answers of one": func(t *testing.T, s Store) {
			for range 150 {
				finish(t, s, callOf(2, true), 2000)
			}
		},
		"lost creates of one": func(t *testing.T, s Store) {
			if n := len(lose(t, s, 2, 100)); n < 5 || n > 30 {
				t.Errorf("%d of one owner's were taken, want a part of what is left", n)
			}
			if len(lose(t, s, 3, 1)) == 0 {
				t.Error("a third owner has no room")
			}
		},
		"lost creates of many": func(t *testing.T, s Store) {
			taken := 0
			for i := range 100 {
				taken += len(lose(t, s, 1000+i, 1))
			}
			if taken < 15 || taken == 100 {
				t.Errorf("%d were taken, want what there was room for", taken)
			}
		},
		"answers of many": func(t *testing.T, s Store) {
			for i := range 150 {
				finish(t, s, callOf(1000+i, true), 2000)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachBounded(t, 64<<10, func(t *testing.T, s Store) {
				lost := lose(t, s, 1, 20)
				if len(lost) != 20 {
					t.Fatalf("%d were taken, want 20", len(lost))
				}
				flood(t, s)
				for _, call := range lost {
					if claim := mustBegin(t, s, call, Unknown); claim.Status != 504 {
						t.Fatalf("status %d, want 504", claim.Status)
					}
				}
				finish(t, s, callOf(2, false), 100) // what is no create goes on
			})
		})
	}
}

// The places of markers are free again after the TTL, and those of creates that run when
// they end well.
func TestRoomForMarkersComesBack(t *testing.T) {
	for name, open := range boundedStores {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, Config{TTL: time.Hour, Bytes: 64 << 10})
				defer func() { _ = s.Close() }()
				n := len(lose(t, s, 1, 100))
				var running []Claim
				for claim, err := s.Begin(t.Context(), callOf(2, true)); err == nil; claim, err = s.Begin(t.Context(), callOf(2, true)) {
					running = append(running, claim)
				}
				for i, claim := range running {
					var end error
					if i%2 == 0 {
						end = s.Release(t.Context(), claim)
					} else {
						end = s.Finish(t.Context(), claim, created())
					}
					if end != nil {
						t.Fatal(end)
					}
				}
				if got := len(lose(t, s, 2, 100)); got != len(running) || got == 0 {
					t.Errorf("%d places are free of the %d of creates that ended", got, len(running))
				}
				time.Sleep(time.Hour + 2*sweepEvery)
				if got := len(lose(t, s, 1, 100)); got != n {
					t.Errorf("%d places are free after the TTL, want %d", got, n)
				}
			})
		})
	}
}

// Many owners with one entry each are no heavier than one with a few.
func TestWhatIsLeftOfAnswersStaysInItsShare(t *testing.T) {
	const bytes = 64 << 10
	for name, open := range boundedStores {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{TTL: time.Hour, Bytes: bytes})
			answer := callOf(1, true)
			finish(t, s, answer, 100)
			lost := lose(t, s, 1, 5)
			for i := range 200 {
				finish(t, s, callOf(2+i%3, true), 1<<10)
			}
			var inAll int64
			switch s := s.(type) {
			case *memory:
				inAll = s.spent.used + s.lost.all*marker
			case *file:
				inAll = s.writer.spent.used + s.lost.all*marker
			}
			if inAll > bytes/markerShare || inAll < bytes/markerShare-2*marker {
				t.Errorf("%d bytes without answers, want about %d", inAll, bytes/markerShare)
			}
			mustBegin(t, s, answer, Done)
			for _, call := range lost {
				mustBegin(t, s, call, Unknown)
			}
		})
	}
}
