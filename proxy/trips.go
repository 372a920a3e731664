package proxy

import (
	"sync/atomic"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// The remembered refusals of one upstream are bounded in number and in bytes; each holds an
// answer, of 64 KiB at most and a few hundred bytes as a rule. One credential's take a quarter at
// most: models that it may not use are its own choice.
const (
	maxTrips   = 1024
	tripBytes  = 2 << 20
	tripsShare = 4
)

// maxWorked bounds the credentials and models of one upstream that are known to work, of
// about 200 bytes each.
const maxWorked = 4096

// trips are one upstream's dead credentials with the answers they drew. Safe
// for concurrent use.
type trips struct {
	any   atomic.Bool                    // the fast path: there has never been one
	trips *policy.Trips[tripKey, *saved] // and models that refusal streaks concern
}

// tripKey is what a refusal is remembered for: who paid, and who called. It quotes the
// request that drew it, and a header that nobody knows may be what was refused.
type tripKey struct {
	lineKey

	caller credential
}

func newTrips(cooldown time.Duration) *trips {
	t := &trips{trips: policy.NewTrips[tripKey, *saved](cooldown, maxTrips)}
	t.trips.Bound(policy.TripBounds[tripKey, *saved]{
		Most: tripBytes, Each: tripBytes / tripsShare,
		Size:  func(key tripKey, answer *saved) int { return answer.size() + len(key.model) },
		Owner: func(key tripKey) tripKey { return tripKey{lineKey: lineKey{credential: key.credential}} },
	})
	return t
}

func (t *trips) check(now time.Time, key tripKey) (*saved, policy.TripState) {
	if !t.any.Load() {
		return nil, policy.Clear
	}
	return t.trips.Check(now, key)
}

func (t *trips) set(now time.Time, key tripKey, answer *saved) {
	t.any.Store(true)
	t.trips.Set(now, key, answer)
}

// payerKey is whom a verdict's scope concerns.
func (f *facing) payerKey(s classify.Scope) lineKey {
	if s == classify.Model {
		return lineKey{f.credential, f.model}
	}
	return lineKey{credential: f.credential}
}

// tripKey is what a refusal with a verdict's scope is remembered under.
func (x *Run) tripKey(s classify.Scope) tripKey {
	return tripKey{x.payerKey(s), x.callerOf(&x.facing)}
}

// callerOf tells f's caller apart from all others; most requests need no such thing.
func (x *Run) callerOf(f *facing) credential {
	if f.caller == (credential{}) {
		f.caller = x.credentials.caller(f.outbound)
	}
	return f.caller
}

// trippedAnswer returns the remembered refusal of the request's credential, or
// of its model, or nil. It makes the request the one probe when that is due.
func (x *Run) trippedAnswer() *saved {
	if x.probe || !x.up.trips.any.Load() {
		return nil
	}
	now := time.Now()
	keys := [...]tripKey{x.tripKey(classify.Credential), x.tripKey(classify.Model)}
	for i, key := range keys {
		if i > 0 && key == keys[0] {
			break
		}
		answer, state := x.up.trips.check(now, key)
		switch state {
		case policy.Tripped:
			return answer
		case policy.Probe:
			x.probe, x.probeKey, x.streakProbe = true, key, !answer.verdict.Trip
			return nil
		}
	}
	return nil
}

// settleProbe lets another request probe if this one ended without a verdict.
func (x *Run) settleProbe() {
	if x.probe {
		x.probe = false
		x.up.trips.trips.Release(time.Now(), x.probeKey)
	}
}
