package loop

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/attempt"
	"outrigger/proxy/observe"
)

// note records one attempt.
func (x *Run) note(a *attempt.Attempt, d policy.Decision) {
	s := observe.Span{Kind: observe.SpanAttempt, Lane: x.Up.Config.Name, Reason: string(d.Reason), Start: a.Started, End: time.Now()}
	s.Try = observe.Try{Number: a.Number, Outcome: a.Verdict.Outcome, Rule: a.Verdict.Rule, Wait: d.Delay, Hint: a.Verdict.Wait}
	if a.Resp != nil {
		s.Try.Status = a.Resp.StatusCode
	}
	switch {
	case d.Action == policy.Next: // counted where it is done
	case d.Action != policy.Return:
		s.Try.Repeated = true
	case isTransient(a.Verdict.Outcome):
		s.Try.Refused = true
	}
	if !a.FirstByte.IsZero() {
		x.Recorder.Span(x.ID, observe.Span{Kind: observe.SpanHold, Lane: s.Lane, Start: a.FirstByte, End: a.HeldUntil})
	}
	x.Recorder.Span(x.ID, s)
}

// waited records a wait that began at start and is over, and returns how long it was.
func (x *Run) waited(kind observe.Kind, reason string, start time.Time) time.Duration {
	now := time.Now()
	x.Recorder.Span(x.ID, observe.Span{Kind: kind, Lane: x.Up.Config.Name, Reason: reason, Start: start, End: now})
	return now.Sub(start)
}

// isTransient reports whether an outcome is one that a repeat might mend.
func isTransient(o classify.Outcome) bool {
	switch o {
	case classify.OutcomeRateLimited, classify.OutcomeSlowDown, classify.OutcomeOverloaded, classify.OutcomeFailed,
		classify.OutcomeTimeout, classify.OutcomeUnreachable, classify.OutcomeBroke, classify.OutcomeLoading, classify.OutcomeStarved:
		return true
	}
	return false
}
