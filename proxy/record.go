package proxy

import (
	"net/http"
	"strings"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
	"outrigger/proxy/usage"
)

// Where an answer came from (x-outrigger-source).
const (
	sourceUpstream = "upstream"
	sourceLocal    = "local"
	sourceTripped  = "tripped"
	sourceReplay   = "replay"
)

// outcome is how a request ended, as logs and metrics name it. Beside these, a
// request that failed has the outcome of its last attempt (classify.Outcome) or
// the code of the error that Outrigger wrote.
type outcome string

const (
	outcomeCompleted   outcome = "completed"
	outcomeFailed      outcome = "failed"
	outcomeInterrupted outcome = "interrupted"
	outcomeCanceled    outcome = "canceled"
)

// Result is what happened to one request. The steps fill it in; observe reads
// it once, at the true end.
type Result struct {
	status   int // 0 when nothing was answered
	source   string
	outcome  outcome // how the answer's body ended; "" when none was relayed
	verdict  classify.Verdict
	attempts int
	queue    time.Duration // in the limiter's line
	gate     time.Duration // at an open breaker
	first    time.Duration // until the answer was committed; 0 when none was
	failover string        // upstreams that were left and why: "name=cause, name=cause"
	bytesOut int64
	bytesIn  int64 // through a tunnel

	upstreamID       string // the upstream's x-request-id
	promptTokens     int64
	completionTokens int64
	errorType        string
	errorCode        string
	errorParam       string
	errorMessage     string
	idempotency      string // what became of the key; "" without one
	closeCode        int    // of a WebSocket
	reason           string // why an answer broke off, see endreason.go
	repaired         bool   // a version that stood twice in the path was taken out
	resumes          int64  // how often its stream was cut and went on
}

// committed notes what is known when a's answer goes to the relay.
func (x *Run) committed(a *attempt) {
	r := &x.record
	r.first = time.Since(x.start)
	r.upstreamID = a.resp.Header.Get("X-Request-Id")
	if r.upstreamID == "" {
		r.upstreamID = a.resp.Header.Get("Request-Id") // Anthropic
	}
	if a.held != nil && a.watcher == nil {
		opening, _ := a.held.opening()
		if a.decoded != nil {
			opening, a.decoded = a.decoded, nil
		}
		counts := usage.Of(opening)
		r.promptTokens, r.completionTokens = counts.Prompt(), counts.Completion()
	}
	if a.verdict.Outcome != classify.OutcomeOK {
		r.failed(a.verdict.Error)
	}
}

// leave notes that an upstream was left for the next one.
func (r *Result) leave(upstream string, cause policy.FailoverCause) {
	left := upstream + "=" + string(cause)
	switch {
	case strings.Contains(r.failover, left): // and came back since
	case r.failover == "":
		r.failover = left
	default:
		r.failover += ", " + left
	}
}

// uncertain reports whether a create may have been carried out that was answered with
// status, an upstream's failure. Verdict.Ambiguous says so only where a repeat would
// else be right; a server's failure that is not to be repeated proves nothing either.
func (r *Result) uncertain(status int) bool {
	return r.verdict.Ambiguous || status >= http.StatusInternalServerError && r.verdict.Repeat == classify.Never
}

// failed notes what an upstream's error says.
func (r *Result) failed(e classify.ErrorFields) {
	r.errorType, r.errorCode, r.errorParam, r.errorMessage = e.Type, e.Code, e.Param, maskKeys(e.Message)
}

// result names how the whole request ended.
func (r *Result) result() string {
	switch {
	case r.outcome == outcomeCanceled || r.outcome == outcomeInterrupted || r.outcome == outcomeFailed:
		return string(r.outcome)
	case r.source == sourceLocal && r.errorCode != "":
		return r.errorCode
	case r.source == sourceTripped:
		return sourceTripped
	case r.status == 0:
		return string(outcomeCanceled)
	case r.verdict.Outcome != classify.OutcomeOK:
		return r.verdict.Outcome.String()
	}
	return string(outcomeCompleted)
}
