package proxy

import (
	"errors"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// RoundTrip is the attempt loop, as the relay's transport. Returning a response
// is the commit point: nothing was written to the caller before, and no attempt
// is made after.
//
// It keeps these promises, each with its test:
//   - every permit of the breaker is reported on once, on every path;
//   - one response body is open at a time;
//   - an attempt's context ends when its body does, not before;
//   - no wait outlasts the deadline, and the caller's leaving ends each;
//   - what cannot be sent again is sent once.
func (x *Run) RoundTrip(out *http.Request) (*http.Response, error) {
	if x.repeat.answer != nil {
		return x.remembered(out)
	}
	x.request = out
	x.keepsAwake(out)
	x.facing = x.faceOf(x.up)
	x.account = x.credential
	for {
		if refusal := x.trippedAnswer(); refusal != nil {
			if x.goOn(policy.FailoverFor(refusal.verdict)) {
				continue
			}
			x.stopTimer()
			x.record.source = sourceTripped
			return x.kept(out, x.fromMemory(refusal)), nil
		}
		a, err := x.begin()
		if errors.Is(err, errTripped) {
			continue // to the answer above, or past it if the trip has ended since
		}
		if err != nil && x.goOn(x.causeOf(err)) {
			continue
		}
		if errors.Is(err, errBudget) {
			if err = x.waitForBudget(); err == nil {
				continue
			}
		}
		if err != nil {
			return x.refuse(out, err)
		}
		x.send(out, a)
		a = x.follow(out, a)
		x.connected = x.connected || a.progress.connected.Load()
		x.judge(a)
		x.learnConnection(a)
		x.learnConcurrency(a)
		decision := x.weigh(a, x.learn(a, x.decide(a)))
		next, cause := x.afterSetback(a, decision)
		if cause != "" {
			decision = policy.Decision{Action: policy.Next, Reason: policy.ReasonFailover}
		}
		x.note(a, decision)
		if decision.Action == policy.Return {
			x.late = decision.Reason == policy.ReasonDeadline
			if x.lacksModel(a) {
				return x.heardBefore(out, a)
			}
			return x.commit(out, a)
		}
		x.retry(a, decision)
		if decision.Action == policy.Next {
			x.move(next, cause)
			continue
		}
		if err := x.pause(decision.Delay); err != nil {
			return x.refuse(out, err)
		}
	}
}

// begin passes the gates in front of an attempt: breaker, limiter, slot, budget.
func (x *Run) begin() (*attempt, error) {
	if x.tries == 0 {
		x.up.budget.Enter()
		defer x.up.budget.Leave()
	}
	for {
		if err := x.awaitModel(); err != nil {
			return nil, err
		}
		if err := x.passGates(); err != nil {
			return nil, err
		}
		if err := x.spill(); err != nil {
			return nil, err
		}
		if err := x.letOthersFirst(); err != nil {
			return nil, err
		}
		err := x.takeSlots()
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var a *attempt
		if a, err = x.permitted(); err == nil {
			return a, nil
		}
		x.giveSlots()
		x.place.leave(time.Now())
		if !errors.Is(err, errShut) {
			return nil, err
		}
	}
}

// permitted takes the breaker's permit and, for a retry, its share of the budget.
func (x *Run) permitted() (*attempt, error) {
	if x.trippedAnswer() != nil { // while this one waited
		return nil, errTripped
	}
	leave, err := x.up.gate.allow()
	if err != nil {
		if !x.blameless {
			return nil, errShut
		}
		leave = x.up.gate.pass()
	}
	var scoped permit
	if g := x.up.scopes.of(x.scopeAt(&x.facing)); g != nil {
		if scoped, err = g.allow(); err != nil && !x.lastChance {
			leave.report(classify.Ignore)
			return nil, errShut
		}
	}
	now := time.Now()
	var charge policy.Charge
	var own bool
	if x.charged {
		var ok bool
		own = x.up.reserve.Take(now, x.credential)
		if charge, ok = x.up.budget.Spend(now); !ok && !own {
			leave.report(classify.Ignore)
			scoped.report(classify.Ignore)
			return nil, errBudget
		}
	}
	if x.tries == 0 {
		// Now, not on arrival: a burst that waits in line for longer than the
		// budget's window would else have none when its attempts fail.
		x.up.budget.Request(now)
	}
	x.charged, x.gateUntil, x.budgetSince = false, time.Time{}, time.Time{}
	x.record.attempts++
	x.attempted()
	x.tries++
	x.lease = lease{up: x.up, who: x.credential, started: now, permit: leave, scoped: scoped, charge: charge, own: own, slots: &x.slots, line: x.place.line}
	a := &attempt{number: x.record.attempts, started: now, call: x.Call, lease: &x.lease, idle: x.streamIdle(), room: x.bodies, host: x}
	x.begins(a)
	x.current = a
	return a, nil
}

// isIll reports whether calls like that of a succeed at the upstream now and then: within
// illWindow, or twice the time that a took where calls take long.
func (x *Run) isIll(a *attempt) bool {
	now := time.Now()
	return x.trend().SucceededAfter(now.Add(-max(illWindow, 2*now.Sub(a.started))))
}

// illWindow is how recent a success is that shows an upstream ill and not down.
const illWindow = 2 * time.Second

// try is what the decision needs to know of a.
func (x *Run) try(a *attempt) policy.Try {
	return policy.Try{
		Retries: x.retries, Rejoins: x.rejoins, Once: x.repeated, Verdict: a.verdict, Now: time.Now(),
		Deadline: x.deadline, Took: x.took(a), Replayable: x.replayable(), Last: x.lastChance,
		Ill: x.isIll(a), Rand: x.random(),
	}
}

// retry gives up attempt a, keeping its answer, and counts the next one.
func (x *Run) retry(a *attempt, d policy.Decision) {
	x.last, x.lastLoss, x.lastUp = a.save(), nil, x.up
	x.setback = policy.FailoverFor(a.verdict)
	x.doubtful = x.doubtful || a.verdict.Ambiguous
	x.renewKey(a)
	switch {
	case a.failure != classify.None:
		x.lastLoss, _ = errors.AsType[*Error](x.lost(a))
	case x.last == nil:
		x.lastLoss = x.unkept(a)
	}
	x.repeated = x.repeated || a.verdict.Repeat == classify.Once
	if d.Action == policy.Again {
		x.retries++
		// What was never sent is no load on the upstream: it spends no budget.
		x.charged = !a.unseen()
	}
	a.finish(errAbandoned)
	x.current = nil
}

// refuse ends a request that is not to be attempted (again): with the last
// attempt's answer, if there is one, else with err.
func (x *Run) refuse(out *http.Request, err error) (*http.Response, error) {
	x.stopTimer()
	x.concludeRefused(err)
	if x.keepsLast(err) {
		x.settleProbe() // which is at the present upstream, if it is any
		x.up = x.lastUp // it answered
		return x.kept(out, x.last), nil
	}
	if s := x.insteadOf(err); s != nil {
		x.record.source = sourceTripped
		return x.kept(out, s), nil
	}
	if x.doubtful && !x.left() {
		return nil, x.ambiguous("then no further attempt could be made")
	}
	return nil, err
}
