package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/proxy/observe"
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
	wait := x.Config.Retry.Pause(x.retries, x.random())
	late := !x.Deadline.IsZero() && !now.Add(wait).Before(x.Deadline)
	if late || wait > x.gatePatience() || x.Trend().IllSince(x.budgetSince) {
		x.Recorder.Span(x.ID, observe.Moment(observe.SpanRefused, x.Up.Config.Name, string(policy.ReasonBudget)))
		return ErrBudget
	}
	x.Record.Gate += wait
	defer x.waited(observe.SpanBreaker, string(policy.ReasonBudget), now)
	return x.Sleep(wait)
}
