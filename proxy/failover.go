package proxy

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// facing is what holds for one of the upstreams that a request may go to.
type facing struct {
	up         *lane
	outbound   *http.Request // as it is to get it, without the body
	credential credential
	caller     credential // see callerOf
	model      string     // as it counts for limits and trips
	sent       string     // the model's name in the body
	spliced    string     // the text that stands for it there; "" to leave the body alone
	let        bool       // its gate has let the request through already, perhaps as the probe
	blameless  bool       // it passes the breaker, which others have opened
}

// pin binds the request to one upstream, which no failover takes it from.
func (x *Run) pin(up *lane) { x.up, x.candidates = up, []*lane{up} }

// mayGoOn reports whether the request may go on to another upstream for a cause.
// What may have been carried out here is not asked for there.
func (x *Run) mayGoOn(cause policy.FailoverCause) bool {
	return len(x.candidates) > 1 && x.config.Failover.On(cause) && !x.doubtful && x.ctx.Err() == nil && !x.hadSingle()
}

// goOn goes on to the next upstream that can be tried, if cause is one to do so
// and there is one.
func (x *Run) goOn(cause policy.FailoverCause) bool {
	if !x.mayGoOn(cause) {
		return false
	}
	next, found := x.available()
	if found {
		x.move(next, cause)
	}
	return found
}

// afterSetback says what to do after a, given what would be done at the same
// upstream: that, or go on to the one that is returned.
func (x *Run) afterSetback(a *attempt, d policy.Decision) (facing, policy.FailoverCause) {
	if len(x.candidates) == 1 || d.Reason == policy.ReasonConfirm || a.verdict.Outcome == classify.OutcomeOK || !x.mayGoOn(policy.FailoverFor(a.verdict)) && !x.mayGoOn(policy.FailoverBreaker) {
		return facing{}, ""
	}
	s := policy.Setback{
		Try: x.try(a), Decision: d, Connected: x.connected, Create: x.isCreate(),
		Open: x.up.isOpen(x.scopeAt(&x.facing)),
	}
	if a.resp != nil {
		s.Status = a.resp.StatusCode
	}
	cause := x.config.Failover.After(s)
	if cause == "" {
		return facing{}, ""
	}
	next, found := x.available()
	if !found {
		return facing{}, "" // the last one: all retries are its own
	}
	return next, cause
}

// available returns the first upstream that the request was not given up at, whose
// breaker lets it through or needs a probe, and that has not refused its credential.
func (x *Run) available() (facing, bool) {
	now := time.Now()
	for _, up := range x.candidates {
		if up == x.up || slices.Contains(x.spent, up) {
			continue
		}
		next := x.faceOf(up)
		if x.tripped(&next, now) || up.loadings.latest(now, next.model) != nil {
			continue
		}
		if up.gate.shut() || up.gate.breaker.State() != policy.Closed {
			next.blameless = next.isBlameless(now)
			next.let = next.blameless || up.gate.try(now, x.isShy())
			if !next.let {
				continue
			}
		}
		if g := up.scopes.of(x.scopeAt(&next)); g != nil && g.breaker.State() != policy.Closed && !g.try(now, x.isShy()) {
			continue
		}
		return next, true
	}
	return facing{}, false
}

// tripped reports whether the upstream is known to refuse the request's credential
// or model.
func (x *Run) tripped(f *facing, now time.Time) bool {
	if !f.up.trips.any.Load() {
		return false
	}
	caller := x.callerOf(f)
	return f.up.trips.trips.Holds(now, tripKey{f.payerKey(classify.Credential), caller}) ||
		f.up.trips.trips.Holds(now, tripKey{f.payerKey(classify.Model), caller})
}

// isShy reports whether the request should leave a probe to others: if it failed
// there, nobody else could be asked.
func (x *Run) isShy() bool { return x.isCreate() || !x.replayable() }

// move leaves the present upstream, in good order, for the next one. An upstream
// whose breaker was open may be come back to.
func (x *Run) move(next facing, cause policy.FailoverCause) {
	x.moveFor(next, cause, cause != policy.FailoverBreaker)
}

// moveFor is move, for good or so that the upstream may be come back to.
func (x *Run) moveFor(next facing, cause policy.FailoverCause, good bool) {
	now := time.Now()
	x.place.leave(now)
	x.place.free(now)
	x.settleProbe()
	x.record.leave(x.up.config.Name, cause)
	x.recorder.Span(x.id, Moment(SpanFailover, x.up.config.Name, string(cause)))
	if good {
		x.spent = append(x.spent, x.up)
		x.retries, x.repeated = 0, false // else two breakers could pass it to and fro for ever
	}
	x.facing, x.place = next, &place{} // the transport may still tell the old one of its request
	x.tries, x.doubted, x.setbacks = 0, 0, setbacks{}
	x.connected, x.charged, x.late, x.crowded, x.lastChance = false, false, false, false, false
	x.http1, x.stray = false, false
}

// causeOf returns the cause for which a request that was not to be attempted here
// could go on: err is why it was not.
func (x *Run) causeOf(err error) policy.FailoverCause {
	var local *Error
	switch {
	case errors.Is(err, errBudget):
		return x.setback
	case errors.As(err, &local) && local.Code == "local_rate_limit":
		return policy.FailoverRateLimited
	}
	return ""
}

// blamelessTime is how recent a success is that lets its credential past a breaker that
// others have opened.
const blamelessTime = time.Minute

// isBlameless reports whether the upstream's breaker is open for failures of others alone:
// this credential worked lately and has not failed, or has not been tried at all, so it
// finds out for itself.
func (f *facing) isBlameless(now time.Time) bool {
	if f.up.worked.Since(now.Add(-blamelessTime), lineKey{credential: f.credential}) {
		return !f.up.blame.FailedLately(now, f.credential)
	}
	return f.up.blame.Try(now, f.credential)
}

// passGate waits at an open breaker until an attempt may be tried: at the next
// upstream at once, if failover goes by breakers and there is one; else at
// whichever of them opens first.
func (x *Run) passGate() error {
	let := x.let
	x.let = false // once: the breaker may be found open all the same
	if x.up.gate.shut() && !let {
		x.blameless = x.isBlameless(time.Now())
	}
	if let || x.blameless || !x.up.gate.shut() {
		return nil
	}
	now, gates := time.Now(), []*gate{x.up.gate}
	if x.mayGoOn(policy.FailoverBreaker) {
		if x.up.gate.try(now, x.isShy()) || x.goOn(policy.FailoverBreaker) {
			x.let = false
			return nil
		}
		gates = x.gates()
	}
	back := now.Before(x.gateUntil) // let out before, and come back
	if !back {
		x.gateUntil = now.Add(x.gatePatience())
	}
	if err := x.waitsUntil(soonestProbe(gates)); err != nil {
		return err
	}
	out, err := waitAt(x.ctx, x.account, gates, x.gateUntil, back)
	x.waitsNoMore()
	x.record.gate += x.waited(SpanBreaker, "", now)
	if out != nil && out != x.up.gate {
		i := slices.IndexFunc(x.candidates, func(up *lane) bool { return up.gate == out })
		x.move(x.faceOf(x.candidates[i]), policy.FailoverBreaker)
	}
	if errors.Is(err, errShut) || errors.Is(err, errDeadline) {
		return x.stayedOpen(gates)
	}
	return err
}

// soonestProbe is when the first of gates may let somebody out.
func soonestProbe(gates []*gate) time.Time {
	soonest := gates[0].breaker.ProbeAt()
	for _, g := range gates[1:] {
		if at := g.breaker.ProbeAt(); at.Before(soonest) {
			soonest = at
		}
	}
	return soonest
}

// gates returns those of all upstreams that the request was not given up at, the
// present one's first.
func (x *Run) gates() []*gate {
	gates := []*gate{x.up.gate}
	for _, up := range x.candidates {
		if up != x.up && !slices.Contains(x.spent, up) {
			gates = append(gates, up.gate)
		}
	}
	return gates
}
