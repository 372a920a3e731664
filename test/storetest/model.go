package storetest

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"outrigger/proxy/idempotency/claims"

	"pgregory.net/rapid"
)

// known is what the model knows of a key.
type known struct {
	state       claims.State
	fingerprint claims.Fingerprint
	status      int
	holder      int // index of the claim that runs it
}

// given is a claim that the store gave, and the call it is for.
type given struct {
	claims.Claim
	call claims.Call
}

// model is the meaning of a store without bounds, in one map.
type model struct {
	keys   map[claims.Key]known
	claims []given
}

// begin returns the state that Begin must find.
func (m *model) begin(call claims.Call) claims.State {
	k, found := m.keys[call.Key]
	switch {
	case !found:
		return claims.Claimed
	case k.fingerprint != call.Print:
		return claims.Mismatch
	}
	return k.state
}

// held reports whether claim i is held.
func (m *model) held(i int) bool {
	k, found := m.keys[m.claims[i].call.Key]
	return found && k.state == claims.Running && k.holder == i
}

// agreesWithModel draws sequences of calls and compares each result with the model's.
func agreesWithModel(t *testing.T, s claims.Store) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{keys: make(map[claims.Key]known)}
		calls := []claims.Call{NewCall(true), NewCall(false), NewCall(true)}
		for _, call := range calls {
			call.Print = NewCall(true).Print
			calls = append(calls, call)
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) { m.checkBegin(t, s, calls[rapid.IntRange(0, len(calls)-1).Draw(t, "call")]) },
			"finish": func(t *rapid.T) {
				m.checkEnd(t, "finish", known{state: claims.Done}, func(c claims.Claim) error { return s.Finish(t.Context(), c, Created()) })
			},
			"too large": func(t *rapid.T) {
				m.checkEnd(t, "too large", known{state: claims.Unknown, status: 203}, func(c claims.Claim) error {
					err := s.Finish(t.Context(), c, &claims.Answer{Status: 203, Body: make([]byte, s.Largest()+1)})
					if errors.Is(err, claims.ErrTooLarge) {
						return nil
					}
					return errors.Join(err, errors.New("want ErrTooLarge"))
				})
			},
			"lose": func(t *rapid.T) {
				m.checkEnd(t, "lose", known{state: claims.Unknown, status: 500}, func(c claims.Claim) error { return s.Lose(t.Context(), c, 500) })
			},
			"release": func(t *rapid.T) {
				m.checkEnd(t, "release", known{}, func(c claims.Claim) error { return s.Release(t.Context(), c) })
			},
		})
	})
}

func (m *model) checkBegin(t *rapid.T, s claims.Store, call claims.Call) {
	claim, err := s.Begin(t.Context(), call)
	want := m.begin(call)
	if err != nil || claim.State != want {
		t.Fatalf("Begin: %v, %v, want %v", claim.State, err, want)
	}
	switch want {
	case claims.Claimed:
		m.keys[call.Key] = known{state: claims.Running, fingerprint: call.Print, holder: len(m.claims)}
		m.claims = append(m.claims, given{claim, call})
	case claims.Done:
		if !reflect.DeepEqual(claim.Answer.Header, Created().Header) || !bytes.Equal(claim.Answer.Body, Created().Body) {
			t.Fatalf("got %+v, want %+v", claim.Answer, Created())
		}
	case claims.Unknown:
		if claim.Status != m.keys[call.Key].status {
			t.Fatalf("got status %d, want %d", claim.Status, m.keys[call.Key].status)
		}
	}
}

// checkEnd ends any claim that was given, held or not.
func (m *model) checkEnd(t *rapid.T, name string, after known, end func(claims.Claim) error) {
	if len(m.claims) == 0 {
		t.Skip("no claim")
	}
	i := rapid.IntRange(0, len(m.claims)-1).Draw(t, "claim")
	call, held := m.claims[i].call, m.held(i)
	err := end(m.claims[i].Claim)
	if held != (err == nil) || !held && !errors.Is(err, claims.ErrNotHeld) {
		t.Fatalf("%s of a claim that is held=%v: %v", name, held, err)
	}
	switch {
	case !held:
	case after.state == 0, after.state == claims.Unknown && !call.Create:
		delete(m.keys, call.Key)
	default:
		after.fingerprint = call.Print
		m.keys[call.Key] = after
	}
}
