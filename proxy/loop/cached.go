package loop

import (
	"errors"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/carrier"
	"outrigger/proxy/negative"
	"outrigger/proxy/response"
)

// payerKey is whom a verdict's scope concerns.
func (f *Prepared) payerKey(s classify.Scope) admission.Key {
	if s == classify.Model {
		return admission.Key{Credential: f.credential, Model: f.model}
	}
	return admission.Key{Credential: f.credential}
}

// tripKey is what a refusal with a verdict's scope is remembered under.
func (x *Run) tripKey(s classify.Scope) negative.Key {
	return negative.Key{Key: x.payerKey(s), Caller: x.callerOf(&x.Prepared)}
}

// callerOf tells f's caller apart from all others; most requests need no such thing.
func (x *Run) callerOf(f *Prepared) carrier.Credential {
	if f.caller == (carrier.Credential{}) {
		f.caller = x.Credentials.Caller(f.Outbound)
	}
	return f.caller
}

// identity says to other processes of a fleet who pays and who calls; the zero value where there
// is no fleet.
func (x *Run) identity() negative.Identity {
	if x.Up.Trips.Elsewhere == nil {
		return negative.Identity{}
	}
	f := &x.Prepared
	if f.identity == (negative.Identity{}) {
		place := x.Up.Config.URL.String()
		f.identity = negative.Identity{Payer: x.Credentials.PayerEverywhere(f.Outbound, place), Caller: x.Credentials.CallerEverywhere(f.Outbound, place)}
	}
	return f.identity
}

// trippedAnswer returns the remembered refusal of the request's credential, or
// of its model, or nil. It makes the request the one probe when that is due.
func (x *Run) trippedAnswer() *response.Buffered {
	who := x.identity()
	known := x.Up.Trips.Knows(who)
	if x.probe || !known && !x.Up.Trips.Any.Load() {
		return nil
	}
	now := time.Now()
	keys := [...]negative.Key{x.tripKey(classify.Credential), x.tripKey(classify.Model)}
	for i, key := range keys {
		if i > 0 && key == keys[0] {
			break
		}
		if known && x.Up.Trips.Adopt(now, key, who) {
			x.Up.Worked.Forget(key.Key) // another confirmed it
			if x.Ticket.Queue != nil {
				x.Ticket.Queue.Dismiss(now) // who waits with this one is answered from memory too
			}
		}
		answer, state := x.Up.Trips.CheckAmong(now, key, who)
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

// refused takes in a refusal for the rate. One that is likely never to clear, or that concerns
// this request alone, is its answer.
func (x *Run) refused(a *attempt.Attempt, d policy.Decision, now time.Time) policy.Decision {
	wait := a.Verdict.Wait
	if !a.Verdict.Until.IsZero() {
		wait = max(wait, a.Verdict.Until.Sub(now))
	}
	long := wait > x.Config.Retry.AfterMax
	passes := wait > 0 && !long
	known := &x.Ticket.Queue.Refusals
	if x.setbacks.own == 0 {
		known.Refused.Add(1)
	}
	alone := x.setbacks.unproven && x.isAlone(known, now)
	answer := x.remember(a)
	lasts := known.Refuse(now, wait, long, answer) || x.probe && x.streakProbe && !passes
	switch {
	case lasts && answer != nil && x.Config.TripCooldown > 0:
		x.startStreak(answer, now)
	case x.probe && x.streakProbe: // it names a wait now, like any rate limit
		x.Up.Trips.Clear(x.probeKey, x.identity())
		x.probe = false
		return d
	case alone && d.Action == policy.Line:
		x.Ticket.Leave(now)
		return policy.Decision{Action: policy.Return, Reason: policy.ReasonAlone}
	default:
		return d
	}
	x.Ticket.Leave(now)
	return policy.Decision{Action: policy.Return, Reason: policy.ReasonStreak}
}

// startStreak remembers a refusal that is not likely to clear for the credential and model,
// and lets those go that wait in their queue: they are answered from memory.
func (x *Run) startStreak(answer *response.Buffered, now time.Time) {
	key := x.tripKey(classify.Model)
	x.Up.Trips.Keep(now, key, x.identity(), answer)
	if x.probe && x.probeKey == key {
		x.probe = false
	}
	x.Ticket.Queue.Dismiss(now)
}

// fromMemory returns a remembered refusal as the request is to get it: as it was sent if it
// has waited, else without what was true at that moment only.
func (x *Run) fromMemory(s *response.Buffered) *response.Buffered {
	if s.Verdict.Trip || x.Record.Attempts > 0 || x.Record.Queue > 0 {
		return s
	}
	return s.WithoutMoment()
}

// insteadOf returns what the upstream last said, for a request that waited in vain and ends
// with err: that says more than a wait's end. Nil is nothing.
func (x *Run) insteadOf(err error) *response.Buffered {
	var local *apierror.Error
	waited := errors.Is(err, apierror.ErrDeadline) || errors.As(err, &local) && local.Code == apierror.LocalRateLimit && local.Later
	if !waited || x.Left() {
		return nil
	}
	now := time.Now()
	answer := x.Up.Loadings.Latest(now, x.model)
	if answer == nil && x.Ticket.Queue != nil {
		answer = x.Ticket.Queue.Refusals.Suspect(now)
	}
	if answer == nil || answer.Caller != x.callerOf(&x.Prepared) {
		return nil // it quotes the request that drew it
	}
	return answer
}
