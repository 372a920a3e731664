package proxy

import (
	"time"

	"outrigger/policy"
)

// waitForBudget waits before a retry is asked for again that the budget refused. Once calls
// like it have succeeded meanwhile, and failed again, the refusal is final: more retries would
// only fail more. Until then the upstream is down and so few calls ask for it that its breaker has
// not opened, or many long calls were lost at once; that is waited out as at a breaker.
func (x *Run) waitForBudget() error {
	now := time.Now()
	if x.budgetSince.IsZero() {
		x.budgetSince = now
	}
	wait := x.config.Retry.Pause(x.retries, x.random())
	late := !x.deadline.IsZero() && !now.Add(wait).Before(x.deadline)
	if late || wait > x.gatePatience() || x.trend().IllSince(x.budgetSince) {
		x.recorder.Span(x.id, Moment(SpanRefused, x.up.config.Name, string(policy.ReasonBudget)))
		return errBudget
	}
	x.record.gate += wait
	defer x.waited(SpanBreaker, string(policy.ReasonBudget), now)
	return x.sleep(wait)
}
