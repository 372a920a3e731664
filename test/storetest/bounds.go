package storetest

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
)

// bounds are the tests of stores that bound what they keep.
var bounds = map[string]func(*testing.T, func(*testing.T, claims.Limits) claims.Store){
	"a flood of one owner forgets nothing of another":            floodForgetsNothingOfOthers,
	"a create whose answer made room is kept in mind":            evictedCreateIsUnknown,
	"answers of one owner evict no unknown create":               withFlood(answersOfOne),
	"lost creates of one owner evict no unknown create":          withFlood(lostOfOne),
	"lost creates of many owners evict no unknown create":        withFlood(lostOfMany),
	"answers of many owners evict no unknown create":             withFlood(answersOfMany),
	"the places of markers are free again when creates are over": markersAreFreed,
}

// RunBounded runs the tests of a store that bounds what it keeps. Markers returns how many
// bytes a store has for calls without answers.
func RunBounded(t *testing.T, open func(*testing.T, claims.Limits) claims.Store, markers func(claims.Store) int64) {
	t.Helper()
	for name, test := range bounds {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
	t.Run("what is left of answers stays within its share", func(t *testing.T) { leftoversStayInTheirShare(t, open, markers) })
}

// CallOf returns a call of an owner, with a key that no other test has.
func CallOf(owner int, create bool) claims.Call {
	call := NewCall(create)
	binary.BigEndian.PutUint64(call.Owner[:], uint64(owner))
	return call
}

// Finish claims a call and finishes it with an answer of size bytes.
func Finish(t *testing.T, s claims.Store, call claims.Call, size int) {
	t.Helper()
	if err := s.Finish(t.Context(), MustBegin(t, s, call, claims.Claimed), &claims.Answer{Status: 201, Body: make([]byte, size)}); err != nil {
		t.Fatal(err)
	}
}

// Lose claims n creates of an owner and loses them, except those that are refused, which it
// leaves out.
func Lose(t *testing.T, s claims.Store, owner, n int) []claims.Call {
	t.Helper()
	var all []claims.Call
	for range n {
		call := CallOf(owner, true)
		claim, err := s.Begin(t.Context(), call)
		switch {
		case errors.Is(err, claims.ErrFull):
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

func floodForgetsNothingOfOthers(t *testing.T, open func(*testing.T, claims.Limits) claims.Store) {
	s := open(t, claims.Limits{TTL: time.Hour, Bytes: 128 << 10})
	done, compute, alone := CallOf(1, true), CallOf(1, false), CallOf(2, true)
	Finish(t, s, done, 100)
	Finish(t, s, compute, 100)
	Finish(t, s, alone, 100)
	lost := Lose(t, s, 1, 20)
	for range 150 {
		Finish(t, s, CallOf(3, false), 1<<10)
		Finish(t, s, CallOf(3, true), 1<<10)
	}
	Lose(t, s, 3, 150)
	MustBegin(t, s, done, claims.Done)
	MustBegin(t, s, compute, claims.Done)
	MustBegin(t, s, alone, claims.Done)
	for _, call := range lost {
		MustBegin(t, s, call, claims.Unknown)
	}
}

// An evicted answer leaves that there was one: the create does not run again.
func evictedCreateIsUnknown(t *testing.T, open func(*testing.T, claims.Limits) claims.Store) {
	s := open(t, claims.Limits{TTL: time.Hour, Bytes: 64 << 10})
	var calls []claims.Call
	for range 10 {
		call := CallOf(1, true)
		calls = append(calls, call)
		Finish(t, s, call, 8<<10-100)
	}
	unknown := 0
	for _, call := range calls {
		claim, err := s.Begin(t.Context(), call)
		if err != nil || claim.State == claims.Claimed {
			t.Fatalf("got %v, %v, want it done or unknown", claim.State, err)
		}
		if claim.State == claims.Unknown {
			if unknown++; claim.Status != 201 {
				t.Errorf("status %d, want 201", claim.Status)
			}
		}
	}
	if unknown == 0 || unknown == len(calls) {
		t.Errorf("%d of %d made room", unknown, len(calls))
	}
	MustBegin(t, s, calls[len(calls)-1], claims.Done)
}

// withFlood tests that a create of unknown outcome is not forgotten before its time, whoever
// fills the store, and how. New creates are refused instead.
func withFlood(flood func(*testing.T, claims.Store)) func(*testing.T, func(*testing.T, claims.Limits) claims.Store) {
	return func(t *testing.T, open func(*testing.T, claims.Limits) claims.Store) {
		s := open(t, claims.Limits{TTL: time.Hour, Bytes: 64 << 10})
		lost := Lose(t, s, 1, 20)
		if len(lost) != 20 {
			t.Fatalf("%d were taken, want 20", len(lost))
		}
		flood(t, s)
		for _, call := range lost {
			if claim := MustBegin(t, s, call, claims.Unknown); claim.Status != 504 {
				t.Fatalf("status %d, want 504", claim.Status)
			}
		}
		Finish(t, s, CallOf(2, false), 100) // what is no create goes on
	}
}

func answersOfOne(t *testing.T, s claims.Store) {
	for range 150 {
		Finish(t, s, CallOf(2, true), 2000)
	}
}

func lostOfOne(t *testing.T, s claims.Store) {
	if n := len(Lose(t, s, 2, 100)); n < 5 || n > 30 {
		t.Errorf("%d of one owner's were taken, want a part of what is left", n)
	}
	if len(Lose(t, s, 3, 1)) == 0 {
		t.Error("a third owner has no room")
	}
}

func lostOfMany(t *testing.T, s claims.Store) {
	taken := 0
	for i := range 100 {
		taken += len(Lose(t, s, 1000+i, 1))
	}
	if taken < 15 || taken == 100 {
		t.Errorf("%d were taken, want what there was room for", taken)
	}
}

func answersOfMany(t *testing.T, s claims.Store) {
	for i := range 150 {
		Finish(t, s, CallOf(1000+i, true), 2000)
	}
}

// Markers are free again after the TTL, and those of running creates when these end.
func markersAreFreed(t *testing.T, open func(*testing.T, claims.Limits) claims.Store) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, claims.Limits{TTL: time.Hour, Bytes: 64 << 10})
		defer func() { _ = s.Close() }()
		n := len(Lose(t, s, 1, 100))
		var running []claims.Claim
		for claim, err := s.Begin(t.Context(), CallOf(2, true)); err == nil; claim, err = s.Begin(t.Context(), CallOf(2, true)) {
			running = append(running, claim)
		}
		for i, claim := range running {
			var end error
			if i%2 == 0 {
				end = s.Release(t.Context(), claim)
			} else {
				end = s.Finish(t.Context(), claim, Created())
			}
			if end != nil {
				t.Fatal(end)
			}
		}
		if got := len(Lose(t, s, 2, 100)); got != len(running) || got == 0 {
			t.Errorf("%d places are free of the %d of creates that ended", got, len(running))
		}
		<-time.After(time.Hour + 2*time.Minute)
		if got := len(Lose(t, s, 1, 100)); got != n {
			t.Errorf("%d places are free after the TTL, want %d", got, n)
		}
	})
}

// Many owners with one entry each take no more than one owner with a few.
func leftoversStayInTheirShare(t *testing.T, open func(*testing.T, claims.Limits) claims.Store, markers func(claims.Store) int64) {
	const bytes = 64 << 10
	s := open(t, claims.Limits{TTL: time.Hour, Bytes: bytes})
	answer := CallOf(1, true)
	Finish(t, s, answer, 100)
	lost := Lose(t, s, 1, 5)
	for i := range 200 {
		Finish(t, s, CallOf(2+i%3, true), 1<<10)
	}
	inAll := markers(s)
	if inAll > bytes/quota.MarkerShare || inAll < bytes/quota.MarkerShare-2*quota.Marker {
		t.Errorf("%d bytes without answers, want about %d", inAll, bytes/quota.MarkerShare)
	}
	MustBegin(t, s, answer, claims.Done)
	for _, call := range lost {
		MustBegin(t, s, call, claims.Unknown)
	}
}
