package loop

import (
	"errors"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/gate"
	"outrigger/proxy/observe"
)

// scopeAt is the request's scope as f's upstream knows it.
func (x *Run) scopeAt(f *Prepared) gate.Scope {
	return gate.Scope{Endpoint: x.Endpoint.Name, Model: f.model, Credential: f.credential}
}

// passScope waits at the open breaker of the request's endpoint and model, or goes on to
// the next upstream. Once the outage of a scope has lasted for as long as requests wait at
// all (OUTRIGGER_BREAKER_WAIT), each gets one attempt and hears what comes of it: the
// rest of the upstream is well, so a call does no harm, and it tells more than an error of
// Outrigger's own.
func (x *Run) passScope() error {
	x.lastChance = false
	g := x.Up.Scopes.Of(x.scopeAt(&x.Prepared))
	if g == nil || !g.Shut() {
		return nil
	}
	now := time.Now()
	if x.mayGoOn(policy.FailoverBreaker) && (g.Try(now, x.isShy()) || x.goOn(policy.FailoverBreaker)) {
		return nil
	}
	// Each waits for a time of its own: all those that wait would else go at the same moment.
	until := now.Add(x.gatePatience())
	if !now.Before(until) || !now.Before(g.Breaker.OpenSince().Add(x.Config.Breaker.Wait)) {
		x.lastChance = true
		return nil
	}
	err := g.Wait(x.Ctx, x.account, until, false)
	x.Record.Gate += x.waited(observe.SpanBreaker, "scope", now)
	if errors.Is(err, gate.ErrShut) {
		x.lastChance, err = true, nil
	}
	if err == nil && x.Up.Gate.Shut() {
		return x.passGate() // its breaker opened meanwhile, and the probe there is another's
	}
	return err
}

// passGates waits at the breakers of the upstream and of the request's scope there.
func (x *Run) passGates() error {
	for {
		if err := x.passGate(); err != nil {
			return err
		}
		up := x.Up
		if err := x.passScope(); err != nil || x.Up == up {
			return err
		}
	}
}

// reportBreakers tells both breakers how the attempt went.
//
// While the breaker of its scope is not closed an attempt's failure tells nothing new of
// the upstream as a whole.
func (x *Run) reportBreakers(a *attempt.Attempt) {
	if a.Verdict.Outcome == classify.OutcomeBroke && !x.Up.Gate.Lost(a.Started, time.Now()) {
		a.Verdict.Breaker = classify.Ignore
	}
	whole := a.Verdict.Breaker
	if whole == classify.Fault && (x.lease.scoped.Gate != nil && x.lease.scoped.Gate.Shut() || x.lastChance) {
		whole = classify.Ignore
	}
	key := x.scopeAt(&x.Prepared)
	if a.Verdict.Breaker == classify.Fault {
		failure := a.Verdict.Outcome.String()
		x.Up.Gate.Blame(failure)
		x.Up.Scopes.Blame(key, failure)
	}
	x.lease.permit.Report(x.blame(a, whole))
	if x.lease.scoped.Gate == nil {
		x.Up.Scopes.Report(key, a.Verdict.Breaker)
		return
	}
	x.lease.scoped.Report(a.Verdict.Breaker)
	x.Up.Scopes.Settle(key, x.lease.scoped.Gate, a.Verdict.Breaker)
}

// blame turns what the attempt says of the whole upstream into nothing where it is this
// credential's own matter.
func (x *Run) blame(a *attempt.Attempt, whole classify.BreakerAction) classify.BreakerAction {
	switch whole {
	case classify.Success:
		x.Up.Blame.Succeeded(time.Now(), a.Started, x.credential)
	case classify.Fault:
		if !x.Up.Blame.Failed(time.Now(), x.credential) {
			return classify.Ignore
		}
	}
	return whole
}

// BrokeOff tells both breakers that an answer broke off after it had begun.
func (x *Run) BrokeOff() {
	broke := classify.OutcomeBroke.String()
	if x.Up.Blame.Failed(time.Now(), x.credential) {
		x.Up.Gate.Blame(broke)
		x.Up.Gate.Fail()
	}
	key := x.scopeAt(&x.Prepared)
	x.Up.Scopes.Blame(key, broke)
	x.Up.Scopes.Report(key, classify.Fault)
}

// budgetPause is the least wait for the retry budget, which frees retries by tenths of a second. Without
// it a call whose retries come at once (OUTRIGGER_RETRY_BASE=0s) would ask without a pause, and find
// the same each time.
const budgetPause = 100 * time.Millisecond

// waitForBudget waits before a retry is asked for again that the budget refused. Once calls
// like it have succeeded meanwhile, and failed again, the refusal is final: more retries would
// only fail more. Until then the upstream is down and so few calls ask for it that its breaker has
// not opened, or many long calls were lost at once; that is waited out as at a breaker.
func (x *Run) waitForBudget() error {
	now := time.Now()
	if x.budgetSince.IsZero() {
		x.budgetSince = now
	}
	wait := max(x.Config.Retry.Pause(x.retries, x.random()), budgetPause)
	late := !x.Deadline.IsZero() && !now.Add(wait).Before(x.Deadline)
	if late || wait > x.gatePatience() || x.Trend().IllSince(x.budgetSince) {
		x.Recorder.Span(x.ID, observe.Moment(observe.SpanRefused, x.Up.Config.Name, string(policy.ReasonBudget)))
		return ErrBudget
	}
	x.Record.Gate += wait
	defer x.waited(observe.SpanBreaker, string(policy.ReasonBudget), now)
	return x.Sleep(wait)
}
