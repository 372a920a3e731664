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
	// Observed is what enforce mode would have done; nil where it is what is done.
	Observed *Observed `json:"observed,omitempty"`
}

// Observed is what enforce mode would have done with the requests that were observed, and what
// that would have saved.
type Observed struct {
	// Would counts requests by what would have been done with them; one may count for several.
	Would map[observe.Would]int64 `json:"would"`
	// Foreseen are the requests of which it is known.
	Foreseen int64 `json:"foreseen"`
	// Failed are those that failed, FailuresPrevented those of them that would not have, and
	// FailuresCaused those that did not and would have.
	Failed            int64 `json:"failed"`
	FailuresPrevented int64 `json:"failures_prevented"`
	FailuresCaused    int64 `json:"failures_caused"`
	// Calls are the calls to upstreams that would have been made for them, and CallsNotMade how
	// many of those that were made would not have been: for requests that would have been refused
	// or answered from memory, and the clients' own retries.
	Calls        int64 `json:"calls"`
	CallsNotMade int64 `json:"calls_not_made"`
	// Queued are the requests that would have waited in a queue for a limit, QueueSeconds how long
	// in all.
	Queued       int64   `json:"queued"`
	QueueSeconds float64 `json:"queue_seconds"`
}

// add counts a request that was observed.
func (o *Observed) add(f *observe.Foreseen) {
	for _, w := range f.Would {
		o.Would[w]++
	}
	o.CallsNotMade += int64(f.Saves())
	if f.Outcome == "" {
		return
	}
	o.Foreseen++
	o.Calls += int64(f.Attempts)
	if f.Failed {
		o.Failed++
	}
	if f.Prevent {
		o.FailuresPrevented++
	}
	if f.Cause {
		o.FailuresCaused++
	}
	if f.Queued >= time.Millisecond {
		o.Queued++
		o.QueueSeconds += f.Queued.Seconds()
	}
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
