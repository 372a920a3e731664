package observe

import (
	"log/slog"
	"strings"
	"time"
)

// Would is what enforce mode would have done with a request that was only observed. It is a value
// of the label of outrigger_observed_total.
type Would string

// What would have been done. A request may have several, but for the first and the last two.
const (
	WouldPass    Would = "passed"       // what was done
	WouldPace    Would = "paced"        // it would have waited in a queue for a limit
	WouldHold    Would = "held"         // at an open breaker, or for the retry budget
	WouldRetry   Would = "retried"      // an attempt would have been repeated
	WouldMove    Would = "failed_over"  // to the next upstream
	WouldRefuse  Would = "refused"      // with an error of Outrigger's own, without an attempt
	WouldRecall  Would = "cached"       // with a remembered refusal, without an attempt
	WouldReport  Would = "cut_reported" // its stream was cut, and would have ended with an error event
	WouldNotCome Would = "sdk_retry"    // it is a client's own retry, of a call whose failure would have been final
	WouldUnknown Would = "unknown"      // it was not foreseen
)

// Foreseen is what enforce mode would have done with one request. Its Event is told when that is
// known, which may be long after the request's end, and tells what really became of the request too.
type Foreseen struct {
	Would    []Would
	Failed   bool          // the request failed
	Prevent  bool          // and would not have
	Cause    bool          // it did not fail, and would have
	Attempts int           // that would have been made
	Queued   time.Duration // in queues for limits
	Held     time.Duration // at open breakers
	Outcome  string        // as Result names it; "" where nothing was foreseen
}

// Saves is how many calls to an upstream would not have been made for the request.
func (f *Foreseen) Saves() int {
	if f.Outcome == "" && f.Is(WouldUnknown) {
		return 0
	}
	return max(0, 1-f.Attempts)
}

// Is reports whether w is among what would have been done.
func (f *Foreseen) Is(w Would) bool {
	for _, would := range f.Would {
		if would == w {
			return true
		}
	}
	return false
}

// foreseen writes what would have been done with a request, if that is another thing than was done.
func (l *Log) foreseen(e *Event) {
	f := e.Foreseen
	if f.Is(WouldPass) || f.Is(WouldNotCome) || f.Is(WouldUnknown) {
		return
	}
	would := make([]string, 0, len(f.Would))
	for _, w := range f.Would {
		would = append(would, string(w))
	}
	l.log.Info("observed", slog.String("id", e.Call.ID), slog.String("would", strings.Join(would, ", ")), slog.String("would_outcome", f.Outcome),
		slog.Int("would_attempts", f.Attempts), Milliseconds("would_queue_ms", f.Queued), Milliseconds("would_breaker_ms", f.Held),
		slog.Int("status", e.Result.Status), slog.String("outcome", e.Result.Result()), slog.Bool("failure_prevented", f.Prevent), slog.Bool("failure_caused", f.Cause))
}

// Observing marks what lanes tell of their state: it is that of the shadows' upstreams.
type Observing struct{ Recorder }

// Notice implements Recorder.
func (o Observing) Notice(n Notice) {
	if n.Kind != "" {
		n.Message = "would be so in enforce mode: " + n.Message
	}
	o.Recorder.Notice(n)
}

// Span implements Recorder: what a shadow does is no part of what really happened.
func (Observing) Span(string, Span) {}

// Begin implements Recorder.
func (Observing) Begin(Kind, string) {}
