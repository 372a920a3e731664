package storetest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"outrigger/proxy/idempotency/claims"
)

// Waiters starts n calls of Store.Wait. It returns the group of their goroutines, and the claim
// that each call found.
func Waiters(t *testing.T, s claims.Store, call claims.Call, n int) (*sync.WaitGroup, *sync.Map) {
	t.Helper()
	var all sync.WaitGroup
	var found sync.Map
	for i := range n {
		all.Go(func() {
			claim, err := s.Wait(t.Context(), call)
			if err != nil {
				t.Error(err)
			}
			found.Store(i, claim)
		})
	}
	return &all, &found
}

func waitReturnsTheAnswer(t *testing.T, s claims.Store) {
	call := NewCall(true)
	claim := MustBegin(t, s, call, claims.Claimed)
	all, found := Waiters(t, s, call, 8)
	if err := s.Finish(t.Context(), claim, Created()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	found.Range(func(_, got any) bool {
		if c := got.(claims.Claim); c.State != claims.Done || !bytes.Equal(c.Answer.Body, Created().Body) {
			t.Errorf("got %v, want the answer", c.State)
		}
		return true
	})
}

func oneWaiterIsClaimed(t *testing.T, s claims.Store) {
	call := NewCall(true)
	claim := MustBegin(t, s, call, claims.Claimed)
	all, found := Waiters(t, s, call, 8)
	const rounds = 8 // each releases what it gets, so each is claimed in its turn
	for range rounds {
		if err := s.Release(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
		claim = next(t, found)
		MustBegin(t, s, call, claims.Running)
	}
	if err := s.Release(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	all.Wait()
}

// next takes the one claim out of found as soon as there is one.
func next(t *testing.T, found *sync.Map) claims.Claim {
	t.Helper()
	for t.Context().Err() == nil {
		var got []claims.Claim
		found.Range(func(i, c any) bool {
			got = append(got, c.(claims.Claim))
			found.Delete(i)
			return true
		})
		if len(got) == 1 && got[0].State == claims.Claimed {
			return got[0]
		}
		if len(got) > 0 {
			t.Fatalf("got %d claims, the first %v, want one", len(got), got[0].State)
		}
	}
	return claims.Claim{}
}

func waitEndsWithTheContext(t *testing.T, s claims.Store) {
	call := NewCall(true)
	claim := MustBegin(t, s, call, claims.Claimed)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if c, err := s.Wait(ctx, call); !errors.Is(err, context.Canceled) || !reflect.DeepEqual(c, claims.Claim{}) {
			t.Errorf("got %v, %v, want context.Canceled", c.State, err)
		}
	})
	cancel()
	all.Wait()
	if err := s.Finish(t.Context(), claim, Created()); err != nil {
		t.Errorf("the claim itself: %v", err)
	}
}

func waitClaimsWhatIsFree(t *testing.T, s claims.Store) {
	call := NewCall(true)
	claim, err := s.Wait(t.Context(), call)
	if err != nil || claim.State != claims.Claimed {
		t.Fatalf("got %v, %v, want a claim", claim.State, err)
	}
	if err := s.Finish(t.Context(), claim, Created()); err != nil {
		t.Fatal(err)
	}
	if claim, err = s.Wait(t.Context(), call); err != nil || claim.State != claims.Done {
		t.Errorf("got %v, %v, want it done", claim.State, err)
	}
}
