package loop

import (
	"context"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
)

// learnLoading takes in what an attempt tells of the model's being ready.
func (x *Run) learnLoading(a *attempt.Attempt, now time.Time) {
	switch {
	case a.Verdict.Outcome == classify.OutcomeLoading:
		x.setbacks.loading = x.Up.Loadings.Say(now, x.model, a.Verdict.Wait, x.remember(a), x.random())
	case a.Resp != nil && a.Verdict.Outcome == classify.OutcomeOK && x.Up.Loadings.Any.Load():
		x.Up.Loadings.Ready(now, x.model)
	}
}

// awaitModel waits while the request's model is loading, except for the one that asks
// whether it still is.
func (x *Run) awaitModel() error {
	if !x.Up.Loadings.Any.Load() {
		return nil
	}
	start := time.Now()
	for now := start; ; now = time.Now() {
		wait, over := x.Up.Loadings.Turn(now, x.model, x.setbacks.loading, x.random())
		if wait <= 0 {
			if now.After(start) {
				x.Record.Queue += x.waited(observe.SpanQueue, observe.QueueModel, start)
			}
			return nil
		}
		if x.goOn(policy.FailoverOverloaded) {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-over:
			timer.Stop()
		case <-x.Ctx.Done():
			timer.Stop()
			x.Record.Queue += x.waited(observe.SpanQueue, observe.QueueModel, start)
			return context.Cause(x.Ctx)
		}
	}
}
