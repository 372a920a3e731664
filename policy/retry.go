package policy

import (
	"time"

	"outrigger/policy/classify"
)

// Retry says how often and how patiently a request is repeated. It is the
// configuration as well. The zero value repeats nothing but waits for rate limits
// that name no time.
type Retry struct {
	// Max is the number of retries after the first attempt; tries are one more. The sixth
	// starts 31 to 40 s after the first attempt: an outage of half a minute is survived.
	Max int `env:"RETRY_MAX" envDefault:"7" min:"0" max:"100" off:"true" doc:"retries after the first attempt; waits for a rate limit do not count, the deadline bounds them"`
	// Base and Cap shape the backoff: min(Cap, Base·2ⁿ), and up to a quarter more.
	Base time.Duration `env:"RETRY_BASE" envDefault:"500ms" min:"0s" max:"1m" doc:"backoff: wait before the first retry, doubled for each further one, and up to a quarter more by chance"`
	Cap  time.Duration `env:"RETRY_CAP" envDefault:"16s" min:"0s" max:"10m" doc:"backoff: longest of these waits, without what chance adds"`
	// AfterMax is the longest wait named by a server that is waited out.
	AfterMax time.Duration `env:"RETRY_AFTER_MAX" envDefault:"60s" min:"0s" max:"24h" doc:"longest server-named wait that is honoured in place; a longer one ends the request at once"`
	// Budget is the ratio of NewBudget.
	Budget float64 `env:"RETRY_BUDGET" envDefault:"0.2" min:"0" max:"100" doc:"retries that may fail in a total outage, as a share of requests over 10 s, plus 10 per 10 s; retries that succeed cost nothing, and never-sent attempts and rate-limit waits do not spend it"`
	// Creates says whether an ambiguous create is repeated.
	Creates CreatesMode `env:"RETRY_CREATES" envDefault:"unambiguous" oneof:"unambiguous,always" doc:"which failed creates are repeated: those that surely were not carried out, or always, for upstreams that honour Idempotency-Key"`
	// ClientRetries says whether SDKs are told not to retry on top. Decide does not
	// look at it; whoever writes x-should-retry does.
	ClientRetries ClientRetriesMode `env:"CLIENT_RETRIES" envDefault:"suppress" oneof:"suppress,allow" doc:"x-should-retry: suppress tells SDKs not to retry what was retried here, allow leaves it to them"`
}

// CreatesMode says which failed creates may be repeated. The zero value means CreatesUnambiguous.
type CreatesMode string

// The modes for creates.
const (
	// CreatesUnambiguous repeats a create only if it surely was not carried out.
	CreatesUnambiguous CreatesMode = "unambiguous"
	// CreatesAlways repeats every create that failed in a way that may pass: for
	// upstreams that recognise a repeat by its Idempotency-Key.
	CreatesAlways CreatesMode = "always"
)

// ClientRetriesMode says whether the caller's SDK is told not to retry. The zero
// value means ClientRetriesSuppress.
type ClientRetriesMode string

// The modes for the retries of callers.
const (
	ClientRetriesSuppress ClientRetriesMode = "suppress"
	ClientRetriesAllow    ClientRetriesMode = "allow"
)

// Try is what Decide has to know of an attempt that has ended.
type Try struct {
	// Retries is how many retries were counted before: one for each Again.
	Retries int
	// Once is whether a verdict with classify.Once was repeated already.
	Once bool
	// Rejoins is how often the same call was found to be under way before.
	Rejoins int
	// Verdict is what the attempt was found to mean.
	Verdict classify.Verdict
	// Now is when the decision is taken.
	Now time.Time
	// Deadline is when the caller must have its answer. Zero means never.
	Deadline time.Time
	// Took is how long the attempt took: the next one will want as long.
	Took time.Duration
	// Ill is whether others have succeeded at the upstream in the last seconds: it is not down.
	Ill bool
	// Last is whether no further attempt is to be made, however this one failed.
	Last bool
	// Replayable is whether the request can be sent again whole.
	Replayable bool
	// Rand is a random number in [0, 1), drawn for this decision.
	Rand float64
}

// Decision is what to do after an attempt. The zero value returns its answer, for no reason.
type Decision struct {
	Action Action
	// Delay is how long to wait before Again; 0 for the other actions.
	Delay time.Duration
	// Reason says why, for logs and metrics.
	Reason Reason
}

// Action is what to do after an attempt. The zero value is Return.
type Action uint8

// The actions.
const (
	// Return gives the caller this attempt's answer.
	Return Action = iota
	// Again makes another attempt after Delay. It counts as a retry, and the
	// caller spends the budget for it when it starts.
	Again
	// Line goes back to the limiter's line, which alone knows for how long. It is
	// no retry: it neither counts nor spends.
	Line
	// Next goes on to the next upstream. Decide never gives it; see Failover.
	Next
	// Wait makes another attempt after Delay, which is no retry: it neither counts nor
	// spends. With ReasonLoading the caller waits for the model first; see Loading.
	Wait
)

// String returns the action in lower case, for logs.
func (a Action) String() string {
	switch a {
	case Return:
		return "return"
	case Again:
		return "again"
	case Line:
		return "line"
	case Next:
		return "next"
	case Wait:
		return "wait"
	default:
		return "unknown"
	}
}

// Reason is why a Decision was taken: a label of few values. The zero value is none.
type Reason string

// The reasons. ReasonRetry goes with Again, ReasonRateLimit with Line, ReasonFailover
// with Next, ReasonLoading, ReasonConfirm and ReasonRunning with Wait, all others with Return.
const (
	ReasonRetry     Reason = "retry"
	ReasonRateLimit Reason = "rate_limit"
	// ReasonFinal: a success, or a failure that a repeat cannot mend.
	ReasonFinal Reason = "final"
	// ReasonAmbiguous: a create that may have been carried out.
	ReasonAmbiguous Reason = "ambiguous"
	// ReasonNotReplayable: the request's body is gone.
	ReasonNotReplayable Reason = "not_replayable"
	// ReasonOnce: a failure that is worth one repeat, and had it.
	ReasonOnce Reason = "once"
	// ReasonExhausted: Retry.Max retries were made.
	ReasonExhausted Reason = "attempts_exhausted"
	// ReasonTooLong: the server asks for a longer wait than Retry.AfterMax.
	ReasonTooLong Reason = "retry_after_too_long"
	// ReasonDeadline: the wait could not end before the deadline.
	ReasonDeadline Reason = "deadline"
	// ReasonBudget: for the caller of Budget.Spend that got no charge. Decide never gives it.
	ReasonBudget Reason = "budget"
	// ReasonFailover: another upstream is asked.
	ReasonFailover Reason = "failover"
	// ReasonLoading: the model will be ready soon.
	ReasonLoading Reason = "loading"
	// ReasonConfirm: a credential that just worked was refused, and is tried once more
	// before that is believed. Decide never gives it.
	ReasonConfirm Reason = "confirm"
	// ReasonRunning: the same call is being made already, and is waited for.
	ReasonRunning Reason = "still_running"
	// ReasonStreak: everything was refused for so long that no wait is likely to end it.
	// Decide never gives it; see Streak.
	ReasonStreak Reason = "refusal_streak"
	// ReasonAlone: this request was refused again and again while others passed. Decide
	// never gives it; see Alone.
	ReasonAlone Reason = "refused_alone"
)

// Reasons returns every reason there is: the values of a metric label.
func Reasons() []Reason {
	return []Reason{
		ReasonRetry, ReasonRateLimit, ReasonFinal, ReasonAmbiguous, ReasonNotReplayable,
		ReasonOnce, ReasonExhausted, ReasonTooLong, ReasonDeadline, ReasonBudget, ReasonFailover,
		ReasonLoading, ReasonConfirm, ReasonRunning, ReasonStreak, ReasonAlone,
	}
}
