package classify

// rule is one row of the table.
type rule struct {
	// name is logged with every verdict of the row.
	name  string
	match match
	// then is the verdict, less what settle fills in.
	then Verdict
	// scope decides the scope where the row alone does not say it.
	scope func(*reply) Scope
	// notRun says that the answer proves that the request was not carried out.
	notRun bool
	// hintFalse says that waiting as told does not help.
	hintFalse bool
	// asSent says that the answer holds what the caller asked for, if not all of it: it
	// keeps the status that it came with.
	asSent bool
	// evidence is who sends this, and where it is documented or was seen.
	evidence string
}

// ruleOtherRejection is the one row that an upstream's x-should-retry: true overrules.
const ruleOtherRejection = "other_rejection"

// unknown is the verdict for what no row matches, a status of 600 or more.
var unknown = rule{name: "unknown", then: failed}

// The verdicts that several rows share.
var (
	rejected    = Verdict{Outcome: OutcomeRejected}
	neverFits   = Verdict{Outcome: OutcomeNeverFits}
	unpaid      = Verdict{Outcome: OutcomeQuota, Scope: Credential, Trip: true}
	spent       = Verdict{Outcome: OutcomeQuota, Scope: Model, Trip: true}
	deadKey     = Verdict{Outcome: OutcomeCredential, Scope: Credential, Trip: true}
	noModel     = Verdict{Outcome: OutcomeModel, Scope: Model}
	blocked     = Verdict{Outcome: OutcomeRegion, Scope: Upstream, Breaker: Ignore}
	limited     = Verdict{Outcome: OutcomeRateLimited, Scope: Credential, Repeat: Pause, Limiter: LimiterPause}
	slowed      = Verdict{Outcome: OutcomeSlowDown, Scope: Model, Repeat: Pause, Limiter: LimiterSlowDown}
	overloaded  = Verdict{Outcome: OutcomeOverloaded, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	modelBusy   = Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Fault}
	failed      = Verdict{Outcome: OutcomeFailed, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	modelFailed = Verdict{Outcome: OutcomeFailed, Scope: Model, Repeat: Backoff, Breaker: Fault}
	timedOut    = Verdict{Outcome: OutcomeTimeout, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	unreached   = Verdict{Outcome: OutcomeUnreachable, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
	notEntitled = Verdict{Outcome: OutcomeEntitlement}
	tierBusy    = Verdict{Outcome: OutcomeOverloaded, Scope: Model, Repeat: Backoff, Breaker: Ignore}
	loading     = Verdict{Outcome: OutcomeLoading, Scope: Model, Repeat: Await, Breaker: Ignore}
	running     = Verdict{Outcome: OutcomeFailed, Repeat: Rejoin}
	broken      = Verdict{Outcome: OutcomeBroke, Scope: Upstream, Repeat: Backoff, Breaker: Fault}
)

// once returns v for one repeat only.
func once(v Verdict) Verdict {
	v.Repeat = Once
	return v
}

// with returns v with another scope.
func with(v Verdict, s Scope) Verdict {
	v.Scope = s
	return v
}
