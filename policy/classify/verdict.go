package classify

import (
	"strings"
	"time"
)

// Verdict is what one attempt means for the request, the limiter, the breaker and the credential.
type Verdict struct {
	Outcome Outcome
	// Scope is what the failure belongs to: who else would meet it too.
	Scope Scope
	// Rule is the name of the row of the table that decided, for logs and debugging.
	Rule string
	// Repeat says whether the same request may be sent again, and on whose account.
	Repeat Repeat
	// Ambiguous says that a create may have been carried out. Repeat is then Never. It stays
	// false where repeating is useless or was forbidden by the upstream, so a caller that
	// repeats creates on purpose may go by this flag alone.
	Ambiguous bool
	// Wait is how long the upstream asks to wait, 0 when it does not say. Never negative.
	Wait time.Duration
	// HintFalse says that waiting Wait will not help, whatever the upstream says.
	HintFalse bool
	// WaitFull says that Wait is when all of a limit is there again, by the rate-limit headers,
	// and nothing tells when this request fits.
	WaitFull bool
	// Until is the instant at which the answer's text or fields say that service comes back; zero when
	// they name none, or one that has passed.
	Until time.Time
	// Limiter is what the limiter of this credential and model should do.
	Limiter LimiterAction
	// Proven says that a refusal shows what refused it: the rate of this credential and model, or how fast
	// it rose. Else a rate limit is only the likeliest reading of an answer that may concern its own
	// request alone. It is false for all other outcomes.
	Proven bool
	// Trip says that the answer may be remembered against Scope (Credential or Model)
	// and given again without asking the upstream.
	Trip bool
	// Breaker is what to book at the upstream's breaker.
	Breaker BreakerAction
	// Status is the HTTP status the answer stands for: of an error inside a 2xx the one its code
	// or type means, else Attempt.Status.
	Status int
	// Error is what the answer says about itself. The message may hold parts of keys or prompts.
	Error ErrorFields
	// Limit is what the answer tells about the limit that refused it.
	Limit Limits
}

// ErrorFields are the parts of an error as SDKs name them, "" where there is none.
type ErrorFields struct {
	Type, Code, Param string
	// Message is cut to 1 KiB.
	Message string
}

// Limits are the numbers of a refusal. Each is 0, or "", when not told.
type Limits struct {
	// Dimension is what is counted: "requests", "tokens", "input_tokens", "output_tokens",
	// "images", "audio_seconds" or "concurrency".
	Dimension string
	// Limit is the allowance per Window, Used what was used of it, Requested what this request costs.
	Limit, Used, Requested float64
	// Window is the time that Limit is for. An answer may name it without numbers: a day limit
	// without Wait is one whose end nobody knows.
	Window time.Duration
}

// Outcome is the kind of a finished attempt. It labels metrics and logs.
type Outcome uint8

// The outcomes. The zero value is OutcomeOK.
const (
	OutcomeOK          Outcome = iota
	OutcomeRejected            // the request itself is at fault
	OutcomeRateLimited         // the caller's own limit, which refills
	OutcomeSlowDown            // the caller's rate rose too fast
	OutcomeOverloaded          // the provider's capacity, not the caller's limit
	OutcomeFailed              // the upstream failed
	OutcomeTimeout             // no answer in time, the upstream's clock or ours
	OutcomeUnreachable         // nothing was sent
	OutcomeBroke               // the answer was lost
	OutcomeQuota               // no money or allowance left: waiting seconds does not help
	OutcomeCredential          // a key that is not valid
	OutcomeModel               // a model that is unknown or not allowed
	OutcomeNeverFits           // a request larger than the limit
	OutcomeRegion              // the place that asks is refused
	OutcomeCanceled            // the caller left
	OutcomeEntitlement         // what the caller's plan, tier or account does not include
	OutcomeLoading             // the model is being made ready
	OutcomeStarved             // this machine had nothing left to connect with
)

// String returns the outcome as metrics and logs show it.
func (o Outcome) String() string {
	return name(o, "ok", "rejected", "rate_limited", "slow_down", "overloaded", "failed", "timeout",
		"unreachable", "broke", "quota", "credential", "model", "never_fits", "region", "canceled",
		"entitlement", "loading", "starved")
}

// Scope is what a failure belongs to.
type Scope uint8

// The scopes. The zero value is Request.
const (
	// Request: another request may pass.
	Request Scope = iota
	// Credential: every request with this credential meets it.
	Credential
	// Model: every request with this credential for this model meets it.
	Model
	// Upstream: everybody at this upstream meets it.
	Upstream
)

// String returns the scope in lower case, for logs.
func (s Scope) String() string { return name(s, "request", "credential", "model", "upstream") }

// Repeat is whether the same request may be sent again.
type Repeat uint8

// The ways to repeat. The zero value is Never.
const (
	// Never: repeating cannot succeed, or may do something twice.
	Never Repeat = iota
	// Backoff: after a growing wait; counts as a retry.
	Backoff
	// Once: like Backoff, but one time only.
	Once
	// Pause: after the limiter lets it; a wait for a rate limit, not counted as a retry.
	Pause
	// Await: when the model is ready. Not counted as a retry, and the deadline alone bounds it.
	Await
	// Rejoin: when the same call, which is being made already, has ended. Not counted as a
	// retry, and the deadline alone bounds it.
	Rejoin
)

// String returns the way to repeat in lower case, for logs.
func (r Repeat) String() string {
	return name(r, "never", "backoff", "once", "pause", "await", "rejoin")
}

// LimiterAction is what the limiter should do with an answer.
type LimiterAction uint8

// The limiter's actions. The zero value is LimiterNone.
const (
	LimiterNone     LimiterAction = iota
	LimiterPause                  // hold until the hint ends and learn the limit
	LimiterSlowDown               // cut the rate and let it grow slowly
)

// String returns the action in lower case, for logs.
func (l LimiterAction) String() string { return name(l, "none", "pause", "slow_down") }

// BreakerAction is what an attempt tells about the upstream's health.
type BreakerAction uint8

// The breaker's actions. The zero value is Success.
const (
	// Success: the upstream answered as a healthy one does, be it with a refusal.
	Success BreakerAction = iota
	// Fault: the upstream failed, was not reached, or had no capacity.
	Fault
	// Ignore: the attempt proves neither.
	Ignore
)

// String returns the action in lower case, for logs.
func (b BreakerAction) String() string { return name(b, "success", "fault", "ignore") }

// maxAccount bounds the name of an account.
const maxAccount = 200

// Account is what a refusal of OpenAI's or Groq's says that is limited: the model, the
// organization, and whatever else stands between "reached for" and the kind of the limit,
// as in "gpt-4o in organization org-x". It is "" where no organization is named.
func (e ErrorFields) Account() string {
	_, rest, ok := strings.Cut(e.Message, "reached for ")
	if !ok {
		return ""
	}
	account, _, ok := strings.Cut(rest, " on ")
	if !ok || len(account) > maxAccount || !strings.Contains(account, " in organization ") {
		return ""
	}
	return account
}
