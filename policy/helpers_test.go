package policy_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// start is the time at which a synctest bubble begins, and the pure tests too.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// equal compares whole values.
func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// allow takes a permit that must be granted.
func allow(t *testing.T, b *policy.Breaker) func(classify.BreakerAction) {
	t.Helper()
	report, err := b.Allow()
	if err != nil {
		t.Fatalf("at %v: Allow: %v, want leave", time.Since(start), err)
	}
	return report
}

// refuse asks for a permit that must not be granted.
func refuse(t *testing.T, b *policy.Breaker) {
	t.Helper()
	if _, err := b.Allow(); !errors.Is(err, policy.ErrBreakerOpen) {
		t.Fatalf("at %v: Allow: error %v, want %v", time.Since(start), err, policy.ErrBreakerOpen)
	}
}

// attempts makes n attempts that end at once.
func attempts(t *testing.T, b *policy.Breaker, n int, action classify.BreakerAction) {
	t.Helper()
	for range n {
		allow(t, b)(action)
	}
}

// opened returns a breaker with these settings that has just opened.
func opened(t *testing.T, c policy.BreakerConfig) *policy.Breaker {
	t.Helper()
	b := policy.NewBreaker(c, false)
	attempts(t, b, c.Consecutive, classify.Fault)
	state(t, b, policy.Open)
	return b
}

// state demands the state that b is in.
func state(t *testing.T, b *policy.Breaker, want policy.BreakerState) {
	t.Helper()
	if got := b.State(); got != want {
		t.Fatalf("at %v: breaker is %v, want %v", time.Since(start), got, want)
	}
}

// view is a snapshot whose time is told from now, so that whole values compare.
type view struct {
	State               policy.BreakerState
	Successes, Failures int
	InARow              int
	Opens               uint64
	ProbeIn             time.Duration
}

func look(b *policy.Breaker) view {
	s := b.Snapshot()
	v := view{State: s.State, Successes: s.Successes, Failures: s.Failures, InARow: s.InARow, Opens: s.Opens}
	if !s.ProbeAt.IsZero() {
		v.ProbeIn = time.Until(s.ProbeAt)
	}
	return v
}
