package loop

import (
	"errors"
	"net/http"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/gate"
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
	if x.Repeat.Answer != nil {
		return x.remembered(out)
	}
	x.request = out
	x.keepsAwake(out)
	x.Prepared = x.prepare(x.Up)
	x.account = x.credential
	for {
		if refusal := x.trippedAnswer(); refusal != nil {
			if x.goOn(policy.FailoverFor(refusal.Verdict)) {
				continue
			}
			x.StopTimer()
			x.Record.Source = call.SourceTripped
			return x.kept(out, x.fromMemory(refusal)), nil
		}
		a, err := x.begin()
		if errors.Is(err, errTripped) {
			continue // to the answer above, or past it if the refusal has expired since
		}
		if err != nil && x.goOn(x.causeOf(err)) {
			continue
		}
		if errors.Is(err, ErrBudget) {
			if err = x.waitForBudget(); err == nil {
				continue
			}
		}
		if err != nil {
			return x.refuse(out, err)
		}
		x.send(out, a)
		a = x.follow(out, a)
		x.connected = x.connected || a.Progress.Connected.Load()
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
			x.Late = decision.Reason == policy.ReasonDeadline
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
		if err := x.pause(decision); err != nil {
			return x.refuse(out, err)
		}
	}
}

// begin passes the gates in front of an attempt: breaker, limiter, slot, budget.
func (x *Run) begin() (*attempt.Attempt, error) {
	if x.tries == 0 {
		x.Up.Budget.Enter()
		defer x.Up.Budget.Leave()
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
		var a *attempt.Attempt
		if a, err = x.permitted(); err == nil {
			return a, nil
		}
		x.giveSlots()
		x.Ticket.Leave(time.Now())
		if !errors.Is(err, gate.ErrShut) {
			return nil, err
		}
	}
}

// permitted takes the breaker's permit and, for a retry, its share of the budget.
func (x *Run) permitted() (*attempt.Attempt, error) {
	if x.trippedAnswer() != nil { // while this one waited
		return nil, errTripped
	}
	leave, err := x.Up.Gate.Allow()
	if err != nil {
		if !x.blameless {
			return nil, gate.ErrShut
		}
		leave = x.Up.Gate.Pass()
	}
	var scoped gate.Permit
	if g := x.Up.Scopes.Of(x.scopeAt(&x.Prepared)); g != nil {
		if scoped, err = g.Allow(); err != nil && !x.lastChance {
			leave.Report(classify.Ignore)
			return nil, gate.ErrShut
		}
	}
	now := time.Now()
	var charge policy.Charge
	var own bool
	if x.charged {
		var ok bool
		own = x.Up.Reserve.Take(now, x.credential)
		if charge, ok = x.Up.Spend(now); !ok && !own {
			leave.Report(classify.Ignore)
			scoped.Report(classify.Ignore)
			return nil, ErrBudget
		}
	}
	if x.tries == 0 {
		// Now, not on arrival: a burst that waits in the queue for longer than the
		// budget's window would else have none when its attempts fail.
		x.Up.Budget.Request(now)
	}
	x.charged, x.gateUntil, x.budgetSince = false, time.Time{}, time.Time{}
	x.Record.Attempts++
	x.Attempted()
	x.tries++
	x.lease = lease{up: x.Up, who: x.credential, started: now, permit: leave, scoped: scoped, charge: charge, own: own, slots: &x.slots, line: x.Ticket.Queue}
	a := &attempt.Attempt{
		Of:     attempt.Of{Call: x.Call, Lease: &x.lease, Idle: x.StreamIdle(), Room: x.Bodies, Host: x},
		Number: x.Record.Attempts, Started: now,
	}
	x.begins(a)
	x.Current = a
	return a, nil
}

// isIll reports whether calls like that of a succeed at the upstream now and then: within
// illWindow, or twice the time that a took where calls take long.
func (x *Run) isIll(a *attempt.Attempt) bool {
	now := time.Now()
	return x.Trend().SucceededAfter(now.Add(-max(illWindow, 2*now.Sub(a.Started))))
}

// illWindow is how recent a success is that shows an upstream ill and not down.
const illWindow = 2 * time.Second

// try is what the decision needs to know of a.
func (x *Run) try(a *attempt.Attempt) policy.Try {
	return policy.Try{
		Retries: x.retries, Rejoins: x.rejoins, Once: x.repeated, Verdict: a.Verdict, Now: time.Now(),
		Deadline: x.Deadline, Took: x.took(a), Replayable: x.Replayable(), Last: x.lastChance,
		Ill: x.isIll(a), Rand: x.random(),
	}
}

// retry gives up attempt a, keeping its answer, and counts the next one.
func (x *Run) retry(a *attempt.Attempt, d policy.Decision) {
	x.last, x.LastLoss, x.lastUp = a.Save(), nil, x.Up
	x.setback = policy.FailoverFor(a.Verdict)
	x.doubtful = x.doubtful || a.Verdict.Ambiguous
	x.renewKey(a)
	switch {
	case a.Failure != classify.None:
		x.LastLoss, _ = errors.AsType[*apierror.Error](x.lost(a))
	case x.last == nil:
		x.LastLoss = x.unkept(a)
	}
	x.repeated = x.repeated || a.Verdict.Repeat == classify.Once
	if d.Action == policy.Again {
		x.retries++
		// What was never sent is no load on the upstream: it spends no budget.
		x.charged = !a.Unseen()
	}
	a.Finish(apierror.ErrAbandoned)
	x.Current = nil
}

// refuse ends a request that is not to be attempted (again): with the last
// attempt's answer, if there is one, else with err.
func (x *Run) refuse(out *http.Request, err error) (*http.Response, error) {
	x.StopTimer()
	x.concludeRefused(err)
	if x.keepsLast(err) {
		x.settleProbe() // which is at the present upstream, if it is any
		x.Up = x.lastUp // it answered
		return x.kept(out, x.last), nil
	}
	if s := x.insteadOf(err); s != nil {
		x.Record.Source = call.SourceTripped
		return x.kept(out, s), nil
	}
	if x.doubtful && !x.Left() {
		return nil, x.ambiguous("then no further attempt could be made")
	}
	return nil, err
}
