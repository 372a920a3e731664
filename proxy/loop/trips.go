package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
	"outrigger/proxy/negative"
	"outrigger/proxy/response"
)

// payerKey is whom a verdict's scope concerns.
func (f *Facing) payerKey(s classify.Scope) admission.Key {
	if s == classify.Model {
		return admission.Key{Credential: f.credential, Model: f.model}
	}
	return admission.Key{Credential: f.credential}
}

// tripKey is what a refusal with a verdict's scope is remembered under.
func (x *Run) tripKey(s classify.Scope) negative.Key {
	return negative.Key{Key: x.payerKey(s), Caller: x.callerOf(&x.Facing)}
}

// callerOf tells f's caller apart from all others; most requests need no such thing.
func (x *Run) callerOf(f *Facing) carrier.Credential {
	if f.caller == (carrier.Credential{}) {
		f.caller = x.Credentials.Caller(f.Outbound)
	}
	return f.caller
}

// trippedAnswer returns the remembered refusal of the request's credential, or
// of its model, or nil. It makes the request the one probe when that is due.
func (x *Run) trippedAnswer() *response.Buffered {
	if x.probe || !x.Up.Trips.Any.Load() {
		return nil
	}
	now := time.Now()
	keys := [...]negative.Key{x.tripKey(classify.Credential), x.tripKey(classify.Model)}
	for i, key := range keys {
		if i > 0 && key == keys[0] {
			break
		}
		answer, state := x.Up.Trips.Check(now, key)
		switch state {
		case policy.Tripped:
			return answer
		case policy.Probe:
			x.probe, x.probeKey, x.streakProbe = true, key, !answer.Verdict.Trip
			return nil
		}
	}
	return nil
}

// settleProbe lets another request probe if this one ended without a verdict.
func (x *Run) settleProbe() {
	if x.probe {
		x.probe = false
		x.Up.Trips.Trips.Release(time.Now(), x.probeKey)
	}
}
