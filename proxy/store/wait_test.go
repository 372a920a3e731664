package store

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
)

// waiters starts n calls of Wait, and returns once each has found the call running.
func waiters(t *testing.T, s Store, call Call, n int) (*sync.WaitGroup, *sync.Map) {
	t.Helper()
	var all sync.WaitGroup
	var claims sync.Map
	for i := range n {
		all.Go(func() {
			claim, err := s.Wait(t.Context(), call)
			if err != nil {
				t.Error(err)
			}
			claims.Store(i, claim)
		})
	}
	return &all, &claims
}

func waitReturnsTheAnswer(t *testing.T, s Store) {
	call := newCall(true)
	claim := mustBegin(t, s, call, Claimed)
	all, claims := waiters(t, s, call, 8)
	if err := s.Finish(t.Context(), claim, created()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	claims.Range(func(_, got any) bool {
		if c := got.(Claim); c.State != Done || !bytes.Equal(c.Answer.Body, created().Body) {
			t.Errorf("got %v, want the answer", c.State)
		}
		return true
	})
}

func oneWaiterIsClaimed(t *testing.T, s Store) {
	call := newCall(true)
	claim := mustBegin(t, s, call, Claimed)
	all, claims := waiters(t, s, call, 8)
	const rounds = 8 // each releases what it gets, so each is claimed in its turn
	for range rounds {
		if err := s.Release(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		claim = next(t, claims)
		mustBegin(t, s, call, Running)
	}
	if err := s.Release(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	all.Wait()
}

// next takes the one claim out of claims, as soon as there is one.
func next(t *testing.T, claims *sync.Map) Claim {
	t.Helper()
	for t.Context().Err() == nil {
		var got []Claim
		claims.Range(func(i, c any) bool {
			got = append(got, c.(Claim))
			claims.Delete(i)
			return true
		})
		if len(got) == 1 && got[0].State == Claimed {
			return got[0]
		}
		if len(got) > 0 {
			t.Fatalf("got %d claims, the first %v, want one", len(got), got[0].State)
		}
	}
	return Claim{}
}

func waitEndsWithTheContext(t *testing.T, s Store) {
	call := newCall(true)
	claim := mustBegin(t, s, call, Claimed)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if c, err := s.Wait(ctx, call); !errors.Is(err, context.Canceled) || !reflect.DeepEqual(c, Claim{}) {
			t.Errorf("got %v, %v, want context.Canceled", c.State, err)
		}
	})
	cancel()
	all.Wait()
	if err := s.Finish(t.Context(), claim, created()); err != nil {
		t.Errorf("the claim itself: %v", err)
	}
}

func waitClaimsWhatIsFree(t *testing.T, s Store) {
	call := newCall(true)
	claim, err := s.Wait(t.Context(), call)
	if err != nil || claim.State != Claimed {
		t.Fatalf("got %v, %v, want a claim", claim.State, err)
	}
	if err := s.Finish(t.Context(), claim, created()); err != nil {
		t.Fatal(err)
	}
	if claim, err = s.Wait(t.Context(), call); err != nil || claim.State != Done {
		t.Errorf("got %v, %v, want it done", claim.State, err)
	}
}
