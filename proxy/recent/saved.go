package recent

import (
	"time"

	"outrigger/proxy/apierror"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// Totals count what has happened since the start of the process.
type Totals struct {
	Since    time.Time `json:"since"`
	Requests int64     `json:"requests"` // that have ended
	Saved
	Streams Streams `json:"streams"`
}

// Saved is what Outrigger has saved the callers, as far as can be told from how requests
// ended.
type Saved struct {
	// FailuresPrevented are requests that ended well with an upstream's answer although an
	// attempt failed, an upstream was left, or their stream was cut and resumed: without
	// Outrigger, the caller would have had to deal with that.
	FailuresPrevented int64 `json:"failures_prevented"`
	// CallsNotMade are requests that were answered without asking an upstream that would have
	// refused, or would have been paid twice: cached refusals, replayed answers, and local
	// errors (circuit_open, local_rate_limit) before any attempt.
	CallsNotMade int64 `json:"calls_not_made"`
	// Queued are requests that waited in a queue for a limit, and QueueSeconds is how long they
	// waited, in all.
	Queued       int64   `json:"queued"`
	QueueSeconds float64 `json:"queue_seconds"`
}

// Streams count event streams and WebSockets.
type Streams struct {
	Open    int            `json:"open"`
	Ended   map[string]int `json:"ended"` // by outcome
	Resumed int            `json:"resumed"`
}

// add counts a request that has ended.
func (s *Saved) add(e *observe.Event) {
	r := e.Result
	if r.Source == call.SourceUpstream && r.Result() == string(call.OutcomeCompleted) && (r.Attempts > 1 || r.Failover != "" || r.Resumes > 0) {
		s.FailuresPrevented++
	}
	switch {
	case r.Source == call.SourceTripped, r.Source == call.SourceReplay:
		s.CallsNotMade++
	case r.Source == call.SourceLocal && r.Attempts == 0 && (r.Local == apierror.CircuitOpen || r.Local == apierror.LocalRateLimit):
		s.CallsNotMade++
	}
	if r.Queue > 0 {
		s.Queued++
		s.QueueSeconds += r.Queue.Seconds()
	}
}
