package store

import (
	"errors"
	"testing"
	"time"
)

// flood has one owner do and lose more creates, and do more computes, than there is
// room for.
func flood(t *testing.T, s Store, owner byte) {
	t.Helper()
	for range 400 {
		for i := range 3 {
			call := newCall(i < 2)
			call.Owner[0] = owner
			claim := mustBegin(t, s, call, Claimed)
			end := s.Finish(t.Context(), claim, &Answer{Status: 200, Body: make([]byte, 1<<10)})
			if i == 0 {
				call := newCall(true)
				call.Owner[0] = owner
				end = errors.Join(end, s.Lose(t.Context(), mustBegin(t, s, call, Claimed), 0))
			}
			if end != nil {
				t.Fatal(end)
			}
		}
	}
}

func TestMemoryFilledByOneOwnerForgetsNothingOfAnother(t *testing.T) {
	s := newMemory(Config{TTL: time.Hour, Bytes: 128 << 10})
	done, lost, compute, alone := newCall(true), newCall(true), newCall(false), newCall(true)
	for _, call := range []*Call{&done, &lost, &compute} {
		call.Owner[0] = 1
	}
	alone.Owner[0] = 2
	if err := errors.Join(
		s.Finish(t.Context(), mustBegin(t, s, done, Claimed), created()),
		s.Finish(t.Context(), mustBegin(t, s, compute, Claimed), created()),
		s.Lose(t.Context(), mustBegin(t, s, lost, Claimed), 504),
		s.Lose(t.Context(), mustBegin(t, s, alone, Claimed), 504),
	); err != nil {
		t.Fatal(err)
	}
	flood(t, s, 3)
	mustBegin(t, s, done, Done)
	mustBegin(t, s, lost, Unknown)
	mustBegin(t, s, compute, Done)
	mustBegin(t, s, alone, Unknown)
}

// An answer that makes room leaves that there was one: the create is not done again.
func TestMemoryKeepsThatACreateWasDoneWhoseAnswerMadeRoom(t *testing.T) {
	s := newMemory(Config{TTL: time.Hour, Bytes: 64 << 10})
	var calls []Call
	for range 10 {
		call := newCall(true)
		calls = append(calls, call)
		if err := s.Finish(t.Context(), mustBegin(t, s, call, Claimed), &Answer{Status: 201, Body: make([]byte, 8<<10-100)}); err != nil {
			t.Fatal(err)
		}
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
}

// Many owners with one entry each are no heavier than one with a few.
func TestMemoryMarkersOfManyOwnersStayInTheirShare(t *testing.T) {
	const bytes = 64 << 10
	s := newMemory(Config{TTL: time.Hour, Bytes: bytes})
	answer := newCall(true)
	answer.Owner = Owner{255}
	if err := s.Finish(t.Context(), mustBegin(t, s, answer, Claimed), created()); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		call := newCall(true)
		call.Owner = Owner{byte(i), byte(i >> 8)}
		if err := s.Lose(t.Context(), mustBegin(t, s, call, Claimed), 0); err != nil {
			t.Fatal(err)
		}
	}
	if s.markers.used > bytes/markerShare {
		t.Errorf("%d bytes of markers, want up to %d", s.markers.used, bytes/markerShare)
	}
	mustBegin(t, s, answer, Done)
}
