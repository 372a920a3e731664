package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/admission"
	"outrigger/proxy/carrier"
	"outrigger/proxy/gate"
	"outrigger/proxy/lane"
)

// lease is what a run's present attempt holds of its lane: the breakers' permits, a share of
// the retry budget, slots among the calls in flight, a turn of the limiter's. Each is given
// back once, on every path.
type lease struct {
	up      *lane.Lane
	who     carrier.Credential
	started time.Time
	permit  gate.Permit   // of the upstream's breaker
	scoped  gate.Permit   // of its endpoint's and model's, if there is one
	charge  policy.Charge // on the retry budget, if the attempt is a retry that costs
	own     bool          // it took one of its credential's own retries
	settled bool          // with the budget
	slots   *[slotCount]admission.Slot
	line    *admission.Queue
	turn    int // of the ticket in the limiter's queue
}

// settle tells the retry budget how the attempt went, once.
func (l *lease) settle(b classify.BreakerAction, accepted bool) {
	if l.settled {
		return
	}
	l.settled = true
	now := time.Now()
	l.up.Budget.Ended(now, l.started)
	l.up.Budget.Settle(now, l.charge, b == classify.Fault)
	if l.own && b != classify.Fault {
		l.up.Reserve.Return(l.who)
	}
	if accepted {
		l.up.Reserve.Earn(now, l.who)
		l.up.Succeeded(now)
	}
}

// Release implements the lease of attempt.Attempt.
func (l *lease) Release(accepted bool) {
	for i := range l.slots {
		l.slots[i].Give(accepted)
	}
	l.line.Refusals.Running.Add(-1)
	l.permit.Report(classify.Ignore) // does nothing when the outcome was reported
	l.scoped.Report(classify.Ignore)
	l.settle(classify.Ignore, accepted) // as before
}
