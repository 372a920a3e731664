package call

import (
	"net/http"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/apierror"
	"outrigger/proxy/wire"
)

// Source is where an answer came from (x-outrigger-source).
type Source string

// The sources.
const (
	SourceUpstream Source = "upstream"
	SourceLocal    Source = "local"   // Outrigger's own error
	SourceTripped  Source = "tripped" // a cached refusal
	SourceReplay   Source = "replay"  // the answer to the same call
)

// Outcome is how a request ended, as logs and metrics name it. Beside these, a
// request that failed has the outcome of its last attempt (classify.Outcome) or
// the code of the error that Outrigger wrote.
type Outcome string

// How an answer's body ended.
const (
	OutcomeCompleted   Outcome = "completed"   // whole
	OutcomeFailed      Outcome = "failed"      // with an error of the upstream's, inside it
	OutcomeInterrupted Outcome = "interrupted" // it broke off, see the reasons
	OutcomeCanceled    Outcome = "canceled"    // the caller left
)

// Result is what has become of a request so far, for those who answer it. Observers get it at
// the end.
type Result struct {
	Status   int // 0 when nothing was answered
	Source   Source
	Outcome  Outcome // how the answer's body ended; "" when none was relayed
	Verdict  classify.Verdict
	Attempts int
	Waits
	Failover string // upstreams that were left and why: "name=cause, name=cause"
	BytesOut int64
	BytesIn  int64 // through a tunnel

	UpstreamID string // the upstream's x-request-id
	Tokens
	Told
	Local       apierror.Code // of the error that Outrigger answered with; "" if it did not
	Idempotency string        // what became of the key; "" without one
	CloseCode   int           // of a WebSocket
	Reason      string        // why an answer broke off; see ReasonReset and the others
	Repaired    bool          // a version that stood twice in the path was taken out
	Resumes     int64         // how often its stream was cut and went on
}

// Waits are what a request waited for.
type Waits struct {
	Queue time.Duration // in queues
	Gate  time.Duration // at an open breaker
	First time.Duration // until the answer was committed; 0 when none was
}

// Tokens are what the upstream counted; 0 when it told nothing.
type Tokens struct {
	PromptTokens     int64
	CompletionTokens int64
}

// Told is the error that ended a request, for the log: the upstream's or, where Outrigger
// answered itself, its own. The fields are those of OpenAI's error object; "" is not told.
type Told struct {
	ErrorType    string
	ErrorCode    string
	ErrorParam   string
	ErrorMessage string // without credentials
}

// Leave notes that an upstream was left for the next one.
func (r *Result) Leave(upstream string, cause policy.FailoverCause) {
	left := upstream + "=" + string(cause)
	switch {
	case strings.Contains(r.Failover, left): // and came back since
	case r.Failover == "":
		r.Failover = left
	default:
		r.Failover += ", " + left
	}
}

// Uncertain reports whether a create may have been carried out that was answered with
// status, an upstream's failure. Verdict.Ambiguous says so only where a repeat would
// else be right; a server's failure that is not to be repeated proves nothing either.
func (r *Result) Uncertain(status int) bool {
	return r.Verdict.Ambiguous || status >= http.StatusInternalServerError && r.Verdict.Repeat == classify.Never
}

// Failed notes what an upstream's error says.
func (r *Result) Failed(e classify.ErrorFields) {
	r.ErrorType, r.ErrorCode, r.ErrorParam, r.ErrorMessage = e.Type, e.Code, e.Param, wire.MaskKeys(e.Message)
}

// Result names how the whole request ended.
func (r *Result) Result() string {
	switch {
	case r.Outcome == OutcomeCanceled || r.Outcome == OutcomeInterrupted || r.Outcome == OutcomeFailed:
		return string(r.Outcome)
	case r.Source == SourceLocal && r.Local != "":
		return string(r.Local)
	case r.Source == SourceTripped:
		return string(SourceTripped)
	case r.Status == 0:
		return string(OutcomeCanceled)
	case r.Verdict.Outcome != classify.OutcomeOK:
		return r.Verdict.Outcome.String()
	}
	return string(OutcomeCompleted)
}

// Why an answer broke off, as the log has it.
const (
	ReasonReset    = "reset"     // the upstream reset the connection, or the stream in it
	ReasonEarlyEnd = "early_end" // it ended the answer before that was whole
	ReasonSilence  = "silence"   // it sent nothing for too long (OUTRIGGER_STREAM_IDLE_TIMEOUT)
	ReasonParse    = "parse"     // what it sent could not be read
	ReasonLost     = "lost"      // the connection was lost in another way
	ReasonShutdown = "shutdown"  // Outrigger ended it, at the end of a drain or at a second signal
)

// IsWarning reports whether somebody should look at how the request ended: Outrigger failed
// it, it broke off, it may have been carried out unseen, or no call with its key succeeds
// until somebody pays or changes the key.
func (r *Result) IsWarning() bool {
	switch {
	case r.Outcome == OutcomeInterrupted:
		return true
	case r.Source == SourceLocal:
		return r.Status >= http.StatusInternalServerError || r.Local == apierror.UpstreamAmbiguous || r.Local == apierror.IdempotencyOutcomeUnknown
	}
	return r.Verdict.Outcome == classify.OutcomeQuota || r.Verdict.Outcome == classify.OutcomeCredential
}
