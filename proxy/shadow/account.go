package shadow

import (
	"sync"
	"time"

	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// Account is the observe.Recorder of one shadow: it takes down what is done with it.
type Account struct {
	ID      string           // of the request
	Spans   observe.Recorder // shows the shadow's spans as those of the request
	Notices observe.Recorder // is told what operators should know of

	mu      sync.Mutex
	retried bool
	moved   bool
	cut     bool
}

// Begin implements observe.Recorder.
func (*Account) Begin(observe.Kind, string) {}

// Notice implements observe.Recorder.
func (a *Account) Notice(n observe.Notice) { a.Notices.Notice(n) }

// Done implements observe.Recorder.
func (*Account) Done(*observe.Event) {}

// Span implements observe.Recorder.
func (a *Account) Span(id string, s observe.Span) {
	if id != a.ID {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch s.Kind {
	case observe.SpanAttempt:
		a.retried = a.retried || s.Try.Number > 1
	case observe.SpanFailover:
		a.moved = true
	case observe.SpanStream:
		a.cut = a.cut || s.Reason == string(call.OutcomeInterrupted)
		return // no stream of anybody's
	case observe.SpanResume, observe.SpanBatch, observe.SpanPanic:
		return
	}
	a.Spans.Span(id, s)
}

// brief is what is no wait worth to be told of.
const brief = time.Millisecond

// Foresee tells what would have been done with the request. r is what became of the shadow, and
// failed says that the request itself failed.
func (a *Account) Foresee(r *call.Result, failed bool) *observe.Foreseen {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &observe.Foreseen{Attempts: r.Attempts, Queued: r.Queue, Held: r.Gate, Outcome: r.Result(), Failed: failed}
	well := f.Outcome == string(call.OutcomeCompleted)
	f.Prevent, f.Cause = f.Failed && well, !f.Failed && !well
	for _, w := range [...]struct {
		is    bool
		would observe.Would
	}{
		{r.Queue >= brief, observe.WouldPace},
		{r.Gate >= brief, observe.WouldHold},
		{a.retried, observe.WouldRetry},
		{a.moved, observe.WouldMove},
		{r.Source == call.SourceLocal && r.Attempts == 0, observe.WouldRefuse},
		{r.Source == call.SourceTripped && r.Attempts == 0, observe.WouldRecall},
		{a.cut || r.Outcome == call.OutcomeInterrupted, observe.WouldReport},
	} {
		if w.is {
			f.Would = append(f.Would, w.would)
		}
	}
	if len(f.Would) == 0 {
		f.Would = append(f.Would, observe.WouldPass)
	}
	return f
}
