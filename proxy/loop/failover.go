package loop

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/admission"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/carrier"
	"outrigger/proxy/gate"
	"outrigger/proxy/lane"
	"outrigger/proxy/negative"
	"outrigger/proxy/observe"
)

// Prepared is the request prepared for one of the upstreams that it may go to.
type Prepared struct {
	Up         *lane.Lane
	Outbound   *http.Request // as it is to get it, without the body
	credential carrier.Credential
	caller     carrier.Credential // see callerOf
	identity   negative.Identity  // see identity
	model      string             // as it counts for limits and cached refusals
	Sent       string             // the model's name in the body
	Spliced    string             // the text that stands for it there; "" to leave the body alone
	let        bool               // its gate has let the request through already, perhaps as the probe
	blameless  bool               // it passes the breaker, which others have opened
}

// Pin binds the request to one upstream, which no failover takes it from.
func (x *Run) Pin(up *lane.Lane) { x.Up, x.Candidates = up, []*lane.Lane{up} }

// mayGoOn reports whether the request may go on to another upstream for a cause.
// What may have been carried out here is not asked for there.
func (x *Run) mayGoOn(cause policy.FailoverCause) bool {
	return len(x.Candidates) > 1 && x.Config.Failover.On(cause) && !x.doubtful && x.Ctx.Err() == nil && !x.hadSingle()
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
func (x *Run) afterSetback(a *attempt.Attempt, d policy.Decision) (Prepared, policy.FailoverCause) {
	if len(x.Candidates) == 1 || d.Reason == policy.ReasonConfirm || a.Verdict.Outcome == classify.OutcomeOK || !x.mayGoOn(policy.FailoverFor(a.Verdict)) && !x.mayGoOn(policy.FailoverBreaker) {
		return Prepared{}, ""
	}
	s := policy.Setback{
		Try: x.try(a), Decision: d, Connected: x.connected, Create: x.IsCreate(),
		Open: x.Up.IsOpen(x.scopeAt(&x.Prepared)),
	}
	if a.Resp != nil {
		s.Status = a.Resp.StatusCode
	}
	cause := x.Config.Failover.After(s)
	if cause == "" {
		return Prepared{}, ""
	}
	next, found := x.available()
	if !found {
		return Prepared{}, "" // the last one: all retries are its own
	}
	return next, cause
}

// available returns the first upstream that the request was not given up at, whose
// breaker lets it through or needs a probe, and that has not refused its credential.
func (x *Run) available() (Prepared, bool) {
	now := time.Now()
	for _, up := range x.Candidates {
		if up == x.Up || slices.Contains(x.spent, up) {
			continue
		}
		next := x.prepare(up)
		if x.tripped(&next, now) || up.Loadings.Latest(now, next.model) != nil {
			continue
		}
		if up.Gate.Shut() || up.Gate.Breaker.State() != policy.Closed {
			next.blameless = next.isBlameless(now)
			next.let = next.blameless || up.Gate.Try(now, x.isShy())
			if !next.let {
				continue
			}
		}
		if g := up.Scopes.Of(x.scopeAt(&next)); g != nil && g.Breaker.State() != policy.Closed && !g.Try(now, x.isShy()) {
			continue
		}
		return next, true
	}
	return Prepared{}, false
}

// tripped reports whether the upstream is known to refuse the request's credential
// or model.
func (x *Run) tripped(f *Prepared, now time.Time) bool {
	if !f.Up.Trips.Any.Load() {
		return false
	}
	caller := x.callerOf(f)
	return f.Up.Trips.Trips.Holds(now, negative.Key{Key: f.payerKey(classify.Credential), Caller: caller}) ||
		f.Up.Trips.Trips.Holds(now, negative.Key{Key: f.payerKey(classify.Model), Caller: caller})
}

// isShy reports whether the request should leave a probe to others: if it failed
// there, nobody else could be asked.
func (x *Run) isShy() bool { return x.IsCreate() || !x.Replayable() }

// move leaves the present upstream, in good order, for the next one. An upstream
// whose breaker was open may be come back to.
func (x *Run) move(next Prepared, cause policy.FailoverCause) {
	x.moveFor(next, cause, cause != policy.FailoverBreaker)
}

// moveFor is move, for good or so that the upstream may be come back to.
func (x *Run) moveFor(next Prepared, cause policy.FailoverCause, good bool) {
	now := time.Now()
	x.Ticket.Leave(now)
	x.Ticket.Free(now)
	x.settleProbe()
	x.Record.Leave(x.Up.Config.Name, cause)
	x.Recorder.Span(x.ID, observe.Moment(observe.SpanFailover, x.Up.Config.Name, string(cause)))
	if good {
		x.spent = append(x.spent, x.Up)
		x.retries, x.repeated = 0, false // else two breakers could pass it to and fro for ever
	}
	x.Prepared, x.Ticket = next, &admission.Ticket{} // the transport may still tell the old one of its request
	x.tries, x.doubted, x.setbacks = 0, 0, setbacks{}
	x.connected, x.charged, x.Late, x.crowded, x.lastChance = false, false, false, false, false
	x.http1, x.stray = false, false
}

// causeOf returns the cause for which a request that was not to be attempted here
// could go on: err is why it was not.
func (x *Run) causeOf(err error) policy.FailoverCause {
	var local *apierror.Error
	switch {
	case errors.Is(err, ErrBudget):
		return x.setback
	case errors.As(err, &local) && local.Code == apierror.LocalRateLimit:
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
func (f *Prepared) isBlameless(now time.Time) bool {
	if f.Up.Worked.Since(now.Add(-blamelessTime), admission.Key{Credential: f.credential}) {
		return !f.Up.Blame.FailedLately(now, f.credential)
	}
	return f.Up.Blame.Try(now, f.credential)
}

// passGate waits at an open breaker until an attempt may be tried: at the next
// upstream at once, if failover goes by breakers and there is one; else at
// whichever of them opens first.
func (x *Run) passGate() error {
	let := x.let
	x.let = false // once: the breaker may be found open all the same
	if x.Up.Gate.Shut() && !let {
		x.blameless = x.isBlameless(time.Now())
	}
	if let || x.blameless || !x.Up.Gate.Shut() {
		return nil
	}
	now, gates := time.Now(), []*gate.Gate{x.Up.Gate}
	if x.mayGoOn(policy.FailoverBreaker) {
		if x.Up.Gate.Try(now, x.isShy()) || x.goOn(policy.FailoverBreaker) {
			x.let = false
			return nil
		}
		gates = x.gates()
	}
	back := now.Before(x.gateUntil) // let out before, and come back
	if !back {
		x.gateUntil = now.Add(x.gatePatience())
	}
	if err := x.WaitsUntil(soonestProbe(gates)); err != nil {
		return err
	}
	out, err := gate.WaitAt(x.Ctx, x.account, gates, x.gateUntil, back)
	x.WaitsNoMore()
	x.Record.Gate += x.waited(observe.SpanBreaker, "", now)
	if out != nil && out != x.Up.Gate {
		i := slices.IndexFunc(x.Candidates, func(up *lane.Lane) bool { return up.Gate == out })
		x.move(x.prepare(x.Candidates[i]), policy.FailoverBreaker)
	}
	if errors.Is(err, gate.ErrShut) || errors.Is(err, apierror.ErrDeadline) {
		return x.stayedOpen(gates)
	}
	return err
}

// soonestProbe is when the first of gates may let somebody out.
func soonestProbe(gates []*gate.Gate) time.Time {
	soonest := gates[0].Breaker.ProbeAt()
	for _, g := range gates[1:] {
		if at := g.Breaker.ProbeAt(); at.Before(soonest) {
			soonest = at
		}
	}
	return soonest
}

// gates returns those of all upstreams that the request was not given up at, the
// present one's first.
func (x *Run) gates() []*gate.Gate {
	gates := []*gate.Gate{x.Up.Gate}
	for _, up := range x.Candidates {
		if up != x.Up && !slices.Contains(x.spent, up) {
			gates = append(gates, up.Gate)
		}
	}
	return gates
}
