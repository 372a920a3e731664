package recent

import (
	"time"

	"outrigger/proxy/observe"
)

// Request is a request that has ended, for /requests.json and the status page. Durations are
// in milliseconds.
type Request struct {
	Seq   uint64    `json:"seq"` // counts requests from 1
	ID    string    `json:"id"`  // in the log and in x-outrigger-request-id
	Start time.Time `json:"start"`
	Took  Millis    `json:"took_ms"`
	Asked
	Answered
	Waited
	// Would is what enforce mode would have done with a request that was only observed, and
	// WouldOutcome how it would have ended. Its spans are those that it would have had.
	Would        []observe.Would `json:"would,omitempty"`
	WouldOutcome string          `json:"would_outcome,omitempty"`
	// Spans are the parts of the request's time, in the order of their ends; More counts those
	// that are not kept.
	Spans []Span `json:"spans,omitempty"`
	More  int    `json:"more_spans,omitempty"`
}

// Asked is what the caller wanted.
type Asked struct {
	Method     string `json:"method"`
	Path       string `json:"path"` // what looks like a credential in it is masked
	Endpoint   string `json:"endpoint,omitempty"`
	Model      string `json:"model,omitempty"`
	SentModel  string `json:"sent_model,omitempty"` // if the upstream got another name
	Caller     string `json:"caller,omitempty"`
	Credential string `json:"credential,omitempty"` // who paid; "" if nobody was asked
}

// Answered is how the request ended.
type Answered struct {
	Status      int    `json:"status"` // 0 when nothing was answered
	Outcome     string `json:"outcome"`
	Source      string `json:"source"`
	Upstream    string `json:"upstream,omitempty"`
	Attempts    int    `json:"attempts"`
	Failover    string `json:"failover,omitempty"`
	Reason      string `json:"reason,omitempty"` // why the answer broke off
	Idempotency string `json:"idempotency,omitempty"`
	Resumes     int64  `json:"resumes,omitempty"`
	UpstreamID  string `json:"upstream_request_id,omitempty"`
	ErrorType   string `json:"error_type,omitempty"`
	ErrorCode   string `json:"error_code,omitempty"`
	ErrorParam  string `json:"error_param,omitempty"`
	// Error is the message of an error of Outrigger's own. An upstream's is in the log only.
	Error string `json:"error,omitempty"`
	// Alone says that the call ended after the caller it was made for had left.
	Alone bool `json:"alone,omitempty"`
}

// Waited is what the request waited for.
type Waited struct {
	Queue   Millis `json:"queue_ms"`   // in queues for limits
	Breaker Millis `json:"breaker_ms"` // at an open breaker
	First   Millis `json:"ttfb_ms"`    // until the answer was committed; 0 when none was
}

// Millis is a duration that JSON has as milliseconds, with three decimals at most.
type Millis float64

func millis(d time.Duration) Millis { return Millis(float64(d.Microseconds()) / 1000) }

// Span is a part of a request's time, or a moment in it; see observe.Span.
type Span struct {
	Kind     string `json:"kind"`
	Upstream string `json:"upstream,omitempty"`
	Reason   string `json:"reason,omitempty"`
	At       Millis `json:"at_ms"` // from the request's start
	Took     Millis `json:"took_ms"`
	*Attempt
}

// Attempt is what is told of a span that is an attempt.
type Attempt struct {
	Number  int    `json:"attempt"`
	Status  int    `json:"status"` // 0 when there was no answer
	Outcome string `json:"outcome"`
	Rule    string `json:"rule,omitempty"`
	Wait    Millis `json:"wait_ms,omitempty"` // before the next attempt
	Hint    Millis `json:"hint_ms,omitempty"` // what the upstream asked for
	// Hold is for how long the beginning of the answer was held, at the attempt's end.
	Hold Millis `json:"hold_ms,omitempty"`
}
