package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/response"
)

// begins notes that an attempt is about to be sent.
func (x *Run) begins(a *attempt.Attempt) {
	known := &x.lease.line.Refusals
	known.Running.Add(1)
	if x.setbacks.own == 0 {
		known.LastFresh.Store(a.Started.UnixNano())
	}
}

// setbacks is what an exchange remembers of its refusals at one upstream.
type setbacks struct {
	confirming bool      // the next attempt is to confirm a refused credential
	confirms   int       // how many were
	accused    time.Time // when its credential was refused last
	loading    time.Time // when it may ask again whether its model is ready

	unproven     bool      // the last one proves nothing of the rate
	refused      time.Time // the last one that does not
	alone        int       // how many of those had others pass in between, and the first
	own          int64     // how many there were
	otherPassed  int64     // the line's counts at the first one
	otherRefused int64
}

// weigh looks at an attempt together with those before it and of others, and may turn the
// decision on it alone into another one.
func (x *Run) weigh(a *attempt.Attempt, d policy.Decision) policy.Decision {
	now := time.Now()
	x.learnLoading(a, now)
	switch {
	case x.setbacks.confirming:
		x.setbacks.confirming = false
		return policy.Decision{Action: policy.Wait, Delay: x.confirmPause(), Reason: policy.ReasonConfirm}
	case a.Resp == nil, a.Crowded:
	case a.Verdict.Outcome == classify.OutcomeOK:
		x.passed(a, now)
	case a.Verdict.Outcome == classify.OutcomeRateLimited:
		return x.refused(a, d, now)
	}
	return d
}

// remember returns a's answer for others than its caller, or nil when it did not arrive whole.
// Its headers are a copy: the relay changes those that its caller gets.
func (x *Run) remember(a *attempt.Attempt) *response.Buffered {
	s := a.Save()
	if s == nil {
		return nil
	}
	kept := *s
	kept.Header = s.Header.Clone()
	kept.Caller = x.callerOf(&x.Facing)
	return &kept
}

// passed takes in a success.
func (x *Run) passed(a *attempt.Attempt, now time.Time) {
	x.Up.Worked.Succeeded(now, x.payerKey(classify.Credential))
	x.Up.Worked.Succeeded(now, x.payerKey(classify.Model))
	x.Place.Line.Refusals.Pass(a.Started, x.setbacks.own == 0)
}
