package proxy

import (
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

// note records one attempt.
func (x *Run) note(a *attempt, d policy.Decision) {
	s := Span{Kind: SpanAttempt, Lane: x.up.config.Name, Reason: string(d.Reason), Start: a.started, End: time.Now()}
	s.Try = Try{Number: a.number, Outcome: a.verdict.Outcome, Rule: a.verdict.Rule, Wait: d.Delay, Hint: a.verdict.Wait}
	if a.resp != nil {
		s.Try.Status = a.resp.StatusCode
	}
	switch {
	case d.Action == policy.Next: // counted where it is done
	case d.Action != policy.Return:
		s.Try.Repeated = true
	case isTransient(a.verdict.Outcome):
		s.Try.Refused = true
	}
	x.recorder.Span(x.id, s)
}

// waited records a wait that began at start and is over, and returns how long it was.
func (x *Run) waited(kind Kind, reason string, start time.Time) time.Duration {
	now := time.Now()
	x.recorder.Span(x.id, Span{Kind: kind, Lane: x.up.config.Name, Reason: reason, Start: start, End: now})
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
