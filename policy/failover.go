package policy

import (
	"slices"
	"time"

	"outrigger/policy/classify"
)

// FailoverCause is why a request goes on to the next upstream. The zero value is
// none.
type FailoverCause string

// The causes, which are the words of OUTRIGGER_FAILOVER and the values of a metric label.
const (
	// FailoverBreaker: the upstream's breaker is open.
	FailoverBreaker FailoverCause = "breaker"
	// FailoverUnreachable: no connection to it, or none that took the request.
	FailoverUnreachable FailoverCause = "unreachable"
	// FailoverOverloaded: it fails, has no capacity, is silent, or broke off.
	FailoverOverloaded FailoverCause = "overloaded"
	// FailoverRateLimited: it refused for the caller's rate, or its line is too long.
	FailoverRateLimited FailoverCause = "rate_limited"
	// FailoverQuota: no money is left, or the key is dead or not good for the model.
	FailoverQuota FailoverCause = "quota"
)

// Failover holds the causes for which a request goes on to the next upstream. It
// is part of the configuration as well. An empty one never goes on.
type Failover []FailoverCause

// On reports whether c is among the causes.
func (f Failover) On(c FailoverCause) bool { return slices.Contains(f, c) }

// Setback is an attempt that failed at one of several upstreams.
type Setback struct {
	// Try is what Retry.Decide was told of it; Retries counts those at this upstream.
	Try Try
	// Decision is what is to be done at the same upstream.
	Decision Decision
	// Connected is whether any attempt at this upstream had a connection.
	Connected bool
	// Open is whether the upstream's breaker is no longer closed.
	Open bool
	// Create is whether the request creates something.
	Create bool
	// Status is what the upstream itself sent, 0 without an answer.
	Status int
}

// How patient a request is with an upstream while the next one is there: one
// retry, if it starts within a second. A single failure is often a blip, and the
// next upstream may be dearer or smaller; a second one in a row hardly is, and
// every further wait is the caller's. All retries are for the last upstream.
const (
	failoverRetries = 1
	failoverDelay   = time.Second
)

// failoverLeft is the least time for which another upstream is begun with.
const failoverLeft = time.Second

// After returns why the request is to go on to the next upstream after a setback,
// or "" when Decision holds. A create goes on only if it surely was not carried
// out, whatever Retry.Creates says: the next upstream cannot know its key.
func (f Failover) After(s Setback) FailoverCause {
	cause := FailoverFor(s.Try.Verdict)
	if !f.On(cause) {
		if !s.Open || !f.On(FailoverBreaker) || s.Decision.Action != Again {
			return ""
		}
		cause = FailoverBreaker
	}
	if !s.Try.Replayable || s.mayHaveRun() || !s.inTime() || s.mayPass(cause) {
		return ""
	}
	return cause
}

// mayHaveRun reports whether the request may have created something. A verdict
// that a create may be repeated says that it was not carried out, and so does a
// refusal of the upstream's own.
func (s Setback) mayHaveRun() bool {
	if !s.Create {
		return false
	}
	refused := s.Status >= 400 && s.Status < 500
	return s.Try.Verdict.Ambiguous || s.Try.Verdict.Repeat == classify.Never && !refused
}

// inTime reports whether another upstream could answer before the deadline. A
// create that is cut off would be one that may have been carried out, so it wants
// as long as it took before.
func (s Setback) inTime() bool {
	left := remaining(s.Try)
	if s.Create {
		return left > max(failoverLeft, s.Try.Took)
	}
	return left > failoverLeft
}

// mayPass reports whether the same upstream is worth its one retry.
func (s Setback) mayPass(cause FailoverCause) bool {
	switch {
	case s.Decision.Action != Again, s.Open, s.Try.Retries >= failoverRetries, s.Decision.Delay > failoverDelay:
		return false
	case cause == FailoverUnreachable:
		return s.Connected
	case cause == FailoverOverloaded:
		return s.Try.Verdict.Outcome != classify.OutcomeTimeout // it would be as long again
	}
	return false
}

// FailoverFor returns the cause that a verdict stands for, "" for a success and for
// what another upstream would answer in the same way.
func FailoverFor(v classify.Verdict) FailoverCause {
	if v.Trip {
		return FailoverQuota
	}
	switch v.Outcome {
	case classify.OutcomeUnreachable:
		return FailoverUnreachable
	case classify.OutcomeOverloaded, classify.OutcomeTimeout, classify.OutcomeBroke, classify.OutcomeLoading:
		return FailoverOverloaded
	case classify.OutcomeFailed:
		// What belongs to the request is a conflict, or text that the model spoiled. An
		// answer under its own success was billed, so the caller decides.
		if v.Scope == classify.Request || v.Status > 0 && v.Status < 400 {
			return ""
		}
		return FailoverOverloaded
	case classify.OutcomeSlowDown:
		if v.Scope == classify.Upstream { // too many requests of all callers
			return FailoverOverloaded
		}
		return FailoverRateLimited
	case classify.OutcomeRateLimited:
		return FailoverRateLimited
	case classify.OutcomeQuota, classify.OutcomeCredential, classify.OutcomeEntitlement:
		return FailoverQuota
	}
	return ""
}
