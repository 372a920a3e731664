package storetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"outrigger/proxy/idempotency/claims"
)

// Roomy returns Limits under which nothing is evicted and nothing expires during a test.
func Roomy() claims.Limits { return claims.Limits{TTL: time.Hour, Bytes: 8 << 20} }

// suite is what every store must do, whatever it survives and whoever shares it.
var suite = map[string]func(*testing.T, claims.Store){
	"of many at once exactly one is claimed":                   oneOfManyIsClaimed,
	"a done call is answered with what was stored":             doneIsReplayed,
	"a released call may run again":                            releasedRunsAgain,
	"a lost create is unknown and a lost compute is free":      lostCreateIsUnknown,
	"another call under the same key is a mismatch":            otherPrintIsMismatch,
	"an answer over the largest is not stored":                 tooLargeIsNotStored,
	"of many that end a claim at once one does":                oneOfManyEndsIt,
	"a claim is ended once":                                    claimEndsOnce,
	"waiting ends with the answer":                             waitReturnsTheAnswer,
	"of all that wait for a released call one is claimed":      oneWaiterIsClaimed,
	"waiting ends with the context":                            waitEndsWithTheContext,
	"waiting for what does not run claims it":                  waitClaimsWhatIsFree,
	"an ended context claims nothing":                          endedContextClaimsNothing,
	"the hash key stays the same":                              hashKeyStays,
	"a closed store says so":                                   closedSaysSo,
	"any sequence of calls leads where the model says it does": agreesWithModel,
}

// Run runs the suite, with a store of its own for each test.
func Run(t *testing.T, open func(*testing.T, claims.Limits) claims.Store) {
	t.Helper()
	for name, test := range suite {
		t.Run(name, func(t *testing.T) { test(t, open(t, Roomy())) })
	}
}

// NewCall returns a call that no other test has.
func NewCall(create bool) claims.Call {
	return claims.Call{Key: claims.Key(random()), Print: claims.Fingerprint(random()), Create: create}
}

func random() [32]byte {
	a, b := claims.NewToken(), claims.NewToken()
	return [32]byte(append(a[:], b[:]...))
}

// Created returns an answer with several headers and a binary body.
func Created() *claims.Answer {
	return &claims.Answer{
		Status: 201,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Two": {"a", "b"}, "lower": {""}},
		Body:   []byte("{\"id\":\"file-1\"}\x00\xff\n"),
	}
}

// MustBegin begins a call, and fails the test unless that finds the state.
func MustBegin(t *testing.T, s claims.Store, call claims.Call, want claims.State) claims.Claim {
	t.Helper()
	claim, err := s.Begin(t.Context(), call)
	if err != nil || claim.State != want {
		t.Fatalf("Begin: %v, %v, want %v", claim.State, err, want)
	}
	return claim
}

func oneOfManyIsClaimed(t *testing.T, s claims.Store) {
	for range 20 {
		call := NewCall(true)
		states := inParallel(t, 16, func(ctx context.Context) (claims.Claim, error) { return s.Begin(ctx, call) })
		if want := map[claims.State]int{claims.Claimed: 1, claims.Running: 15}; !reflect.DeepEqual(states, want) {
			t.Fatalf("got %v, want %v", states, want)
		}
	}
}

// inParallel counts the states that n calls of f at once return.
func inParallel(t *testing.T, n int, f func(context.Context) (claims.Claim, error)) map[claims.State]int {
	t.Helper()
	var mu sync.Mutex
	states := make(map[claims.State]int)
	start := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			<-start
			claim, err := f(t.Context())
			mu.Lock()
			defer mu.Unlock()
			states[claim.State]++
			if err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	return states
}

func doneIsReplayed(t *testing.T, s claims.Store) {
	for _, create := range []bool{false, true} {
		call, before := NewCall(create), time.Now().Add(-time.Second)
		claim := MustBegin(t, s, call, claims.Claimed)
		if running := MustBegin(t, s, call, claims.Running); !running.Since.Equal(claim.Since) || claim.Since.Before(before) {
			t.Errorf("claimed since %v, running since %v, want the same and after %v", claim.Since, running.Since, before)
		}
		given := Created()
		if err := s.Finish(t.Context(), claim, given); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(given, Created()) {
			t.Error("Finish changed the answer it was given")
		}
		for range 2 {
			done := MustBegin(t, s, call, claims.Done)
			if done.Answer.Stored.Before(before) || done.Answer.Stored.After(time.Now().Add(time.Second)) || !done.Since.Equal(claim.Since) {
				t.Errorf("stored %v, begun %v, want now and %v", done.Answer.Stored, done.Since, claim.Since)
			}
			got := *done.Answer
			got.Stored = time.Time{}
			if !reflect.DeepEqual(&got, Created()) {
				t.Errorf("got %+v, want %+v", got, Created())
			}
		}
	}
}

func releasedRunsAgain(t *testing.T, s claims.Store) {
	for _, create := range []bool{false, true} {
		call := NewCall(create)
		first := MustBegin(t, s, call, claims.Claimed)
		if err := s.Release(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		second := MustBegin(t, s, call, claims.Claimed)
		if err := s.Finish(t.Context(), first, Created()); !errors.Is(err, claims.ErrNotHeld) {
			t.Errorf("the first claim finishes with %v, want ErrNotHeld", err)
		}
		MustBegin(t, s, call, claims.Running)
		if err := s.Finish(t.Context(), second, Created()); err != nil {
			t.Errorf("the second claim finishes with %v", err)
		}
		MustBegin(t, s, call, claims.Done)
	}
}

func lostCreateIsUnknown(t *testing.T, s claims.Store) {
	create, compute := NewCall(true), NewCall(false)
	claim := MustBegin(t, s, create, claims.Claimed)
	if err := errors.Join(s.Lose(t.Context(), claim, 502), s.Lose(t.Context(), MustBegin(t, s, compute, claims.Claimed), 502)); err != nil {
		t.Fatal(err)
	}
	unknown := MustBegin(t, s, create, claims.Unknown)
	if !unknown.Since.Equal(claim.Since) || unknown.Status != 502 || unknown.Answer != nil {
		t.Errorf("got since %v, status %d, answer %v, want %v, 502 and none", unknown.Since, unknown.Status, unknown.Answer, claim.Since)
	}
	MustBegin(t, s, compute, claims.Claimed)
}

func otherPrintIsMismatch(t *testing.T, s claims.Store) {
	for name, end := range map[string]func(claims.Claim) error{
		"running": func(claims.Claim) error { return nil },
		"done":    func(c claims.Claim) error { return s.Finish(t.Context(), c, Created()) },
		"unknown": func(c claims.Claim) error { return s.Lose(t.Context(), c, 0) },
	} {
		call := NewCall(true)
		if err := end(MustBegin(t, s, call, claims.Claimed)); err != nil {
			t.Fatal(name, err)
		}
		other := call
		other.Print = NewCall(true).Print
		if claim := MustBegin(t, s, other, claims.Mismatch); claim.Answer != nil {
			t.Errorf("%s: a mismatch tells the answer", name)
		}
		if claim, err := s.Wait(t.Context(), other); err != nil || claim.State != claims.Mismatch {
			t.Errorf("%s: Wait: %v, %v, want a mismatch", name, claim.State, err)
		}
	}
}

func tooLargeIsNotStored(t *testing.T, s claims.Store) {
	create, compute, fits := NewCall(true), NewCall(false), NewCall(true)
	large := &claims.Answer{Status: 200, Body: make([]byte, s.Largest()+1)}
	for _, call := range []claims.Call{create, compute} {
		if err := s.Finish(t.Context(), MustBegin(t, s, call, claims.Claimed), large); !errors.Is(err, claims.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	}
	if unknown := MustBegin(t, s, create, claims.Unknown); unknown.Status != 200 {
		t.Errorf("got status %d, want 200", unknown.Status)
	}
	MustBegin(t, s, compute, claims.Claimed)

	largest := &claims.Answer{Status: 200, Body: bytes.Repeat([]byte{1}, int(s.Largest()))}
	if err := s.Finish(t.Context(), MustBegin(t, s, fits, claims.Claimed), largest); err != nil {
		t.Fatal(err)
	}
	if done := MustBegin(t, s, fits, claims.Done); !bytes.Equal(done.Answer.Body, largest.Body) {
		t.Error("the largest answer came back different")
	}
}

func claimEndsOnce(t *testing.T, s claims.Store) {
	ends := map[string]func(claims.Claim) error{
		"finish":  func(c claims.Claim) error { return s.Finish(t.Context(), c, Created()) },
		"release": func(c claims.Claim) error { return s.Release(t.Context(), c) },
		"lose":    func(c claims.Claim) error { return s.Lose(t.Context(), c, 0) },
	}
	after := map[string]claims.State{"finish": claims.Done, "release": claims.Claimed, "lose": claims.Unknown}
	for first := range ends {
		for second := range ends {
			call := NewCall(true)
			claim := MustBegin(t, s, call, claims.Claimed)
			if err := ends[first](claim); err != nil {
				t.Fatalf("%s: %v", first, err)
			}
			if err := ends[second](claim); !errors.Is(err, claims.ErrNotHeld) {
				t.Errorf("%s after %s: %v, want ErrNotHeld", second, first, err)
			}
			MustBegin(t, s, call, after[first])
		}
	}
	for name, end := range ends {
		if err := end(claims.Claim{}); !errors.Is(err, claims.ErrNotHeld) {
			t.Errorf("%s of no claim: %v, want ErrNotHeld", name, err)
		}
	}
}

func oneOfManyEndsIt(t *testing.T, s claims.Store) {
	for range 20 {
		claim := MustBegin(t, s, NewCall(true), claims.Claimed)
		var mu sync.Mutex
		ended := make(map[error]int)
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			all.Go(func() {
				<-start
				err := s.Finish(t.Context(), claim, Created())
				mu.Lock()
				defer mu.Unlock()
				ended[err]++
			})
		}
		close(start)
		all.Wait()
		if want := map[error]int{nil: 1, claims.ErrNotHeld: 7}; !maps.Equal(ended, want) {
			t.Fatalf("got %v, want %v", ended, want)
		}
	}
}

func hashKeyStays(t *testing.T, s claims.Store) {
	first, err := s.HashKey(t.Context())
	second, again := s.HashKey(t.Context())
	if err != nil || again != nil || first != second || first == [32]byte{} {
		t.Errorf("got %x, %v and %x, %v, want one key twice", first, err, second, again)
	}
}

func endedContextClaimsNothing(t *testing.T, s claims.Store) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	call := NewCall(true)
	if claim, err := s.Begin(ended, call); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin: %v, %v, want context.Canceled", claim.State, err)
	}
	if claim, err := s.Wait(ended, call); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v, %v, want context.Canceled", claim.State, err)
	}
	MustBegin(t, s, call, claims.Claimed)
}

func closedSaysSo(t *testing.T, s claims.Store) {
	held, call := MustBegin(t, s, NewCall(true), claims.Claimed), NewCall(true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, begin := s.Begin(t.Context(), call)
	_, wait := s.Wait(t.Context(), call)
	for name, err := range map[string]error{
		"Begin":   begin,
		"Wait":    wait,
		"Finish":  s.Finish(t.Context(), held, Created()),
		"Release": s.Release(t.Context(), held),
		"Lose":    s.Lose(t.Context(), held, 0),
	} {
		if !errors.Is(err, claims.ErrClosed) || !errors.Is(err, claims.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}
