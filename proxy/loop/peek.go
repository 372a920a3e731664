package loop

import (
	"context"
	"errors"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/attempt"
)

// judge classifies the attempt.
func (x *Run) judge(a *attempt.Attempt) {
	c := classify.Attempt{
		Failure: x.failureFor(a), Progress: a.Reached(), Effect: x.Endpoint.Effect, Now: time.Now(), Keyed: x.isKeyed(),
	}
	if a.Resp != nil && a.Failure == classify.None {
		a.Told = unechoed(a.Resp.Header, x.request.Header)
		c.Status, c.Header, c.Progress = a.Resp.StatusCode, a.Told, classify.Answered
		a.Describe(&c)
	}
	a.Verdict = x.classified(c)
	if a.Failure == classify.Timeout && errors.Is(context.Cause(a.Ctx), apierror.ErrDeadline) && time.Since(a.Progress.Quiet()) < attempt.Impatience {
		a.Verdict.Breaker = classify.Ignore // one caller's impatience is not the upstream's failure
	}
	if errors.Is(a.Err, attempt.ErrPage) {
		// As a rule the path is not the API's: that comes again, and says nothing about others.
		a.Verdict.Breaker = classify.Ignore
		if a.Verdict.Repeat == classify.Backoff {
			a.Verdict.Repeat = classify.Once
		}
	}
	if a.Resp != nil && a.Verdict.Outcome != classify.OutcomeOK {
		x.conceal(a)
	}
}
