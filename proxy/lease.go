package proxy

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// lease is what a run's present attempt holds of its lane: the breakers' permits, a share of
// the retry budget, slots among the calls in flight, a turn of the limiter's. Each is given
// back once, on every path.
type lease struct {
	up      *lane
	who     credential
	started time.Time
	permit  permit        // of the upstream's breaker
	scoped  permit        // of its endpoint's and model's, if there is one
	charge  policy.Charge // on the retry budget, if the attempt is a retry that costs
	own     bool          // it took one of its credential's own retries
	settled bool          // with the budget
	slots   *[slotCount]slot
	line    *line
	turn    int // of the place in the limiter's line
}

// settle tells the retry budget how the attempt went, once.
func (l *lease) settle(b classify.BreakerAction, accepted bool) {
	if l.settled {
		return
	}
	l.settled = true
	now := time.Now()
	l.up.budget.Ended(now, l.started)
	l.up.budget.Settle(now, l.charge, b == classify.Fault)
	if l.own && b != classify.Fault {
		l.up.reserve.Return(l.who)
	}
	if accepted {
		l.up.reserve.Earn(now, l.who)
		l.up.budget.Succeeded(now)
	}
}

// release implements leased.
func (l *lease) release(accepted bool) {
	for i := range l.slots {
		l.slots[i].give(accepted)
	}
	l.line.refusals.running.Add(-1)
	l.permit.report(classify.Ignore) // does nothing when the outcome was reported
	l.scoped.report(classify.Ignore)
	l.settle(classify.Ignore, accepted) // as before
}
