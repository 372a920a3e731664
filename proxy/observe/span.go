package observe

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/call"
)

// Kind says what a Span is.
type Kind string

// The kinds of spans. Those without a length are moments: their Start is their End.
const (
	SpanQueue       Kind = "queue"        // waiting for a rate limit (reason "rate"), a call in flight ("concurrency"), others to go first, or a model to load
	SpanBreaker     Kind = "breaker"      // waiting at an open breaker, or for the retry budget (reason "budget")
	SpanBackoff     Kind = "backoff"      // waiting before the next attempt; the reason is the decision's
	SpanAttempt     Kind = "attempt"      // one attempt, from its start until it was judged; the reason is the decision's
	SpanHold        Kind = "hold"         // holding the beginning of an answer that may yet be judged; within an attempt
	SpanStream      Kind = "stream"       // a committed event stream or WebSocket; the reason is how it ended
	SpanResume      Kind = "resume"       // a cut stream that was asked for again; the reason is what came of it
	SpanFailover    Kind = "failover"     // moment: an upstream was left; the reason is the cause
	SpanRefused     Kind = "refused"      // moment: a failed attempt was not repeated; the reason is why
	SpanClientRetry Kind = "client_retry" // moment: the SDK says that the request is a retry of its own
	SpanIdempotency Kind = "idempotency"  // moment: what became of a call with a key
	SpanBatch       Kind = "batch"        // moment: a batch was first seen in a state, which is the reason
	SpanPanic       Kind = "panic"        // moment: a goroutine panicked; the reason is where
)

// The reasons of a SpanQueue.
const (
	QueueRate        = "rate"        // the turn at a rate limit
	QueueConcurrency = "concurrency" // the end of a call in flight
	QueueOthers      = "others"      // after a refusal that proves nothing: those who were not refused go first
	QueueModel       = "model"       // until the model is loaded
)

// Span is a part of a request's time, or a moment in it.
type Span struct {
	Kind       Kind
	Lane       string // name of the upstream; "" for none
	Reason     string
	Start, End time.Time
	Try        Try // of an attempt
}

// Try is what a Span tells of an attempt. The zero value is none.
type Try struct {
	Number     int // 1 is the first of the request
	Status     int // 0 when there was no answer
	Outcome    classify.Outcome
	Rule       string        // by which the answer was classified
	Wait, Hint time.Duration // before the next attempt, and what the upstream asked for
	Repeated   bool          // it is repeated at the same upstream
	Refused    bool          // it failed in a way that may pass, and is not repeated
}

// Notice is something that operators should know of, beside what a request's own record
// tells: a change of state, or a trouble of Outrigger's own. Fields hold no secrets.
type Notice struct {
	Level   slog.Level
	Message string
	Fields  []slog.Attr

	// Of a change of state, see Changed; "" and zero for anything else:
	Kind    ChangeKind
	Subject string
	Time    time.Time
}

// Event is a request that has ended.
type Event struct {
	Call   *call.Call
	Result *call.Result
	End    time.Time

	Upstream    string // that answered, or was asked last; "" is none
	Credential  string // who pays there, as carrier.Credential's label; "" if nobody was asked
	Sent        string // the name of the model that it got
	SentDecoded bool   // a compressed body was sent decoded
	Redirects   int    // that were followed
	Sticky      bool   // the call had to go where its objects live
	Sealed      bool   // for encrypted content that was made there
	Repeat      string // x-outrigger-repeat
	Hint        string // what is wrong with the path, as it seems
	Alone       bool   // the call ended when the caller it was made for had left

	// Foreseen is what enforce mode would have done with a request that was only observed. Such an
	// event comes after the request's own one, and tells nothing else that is new.
	Foreseen *Foreseen
}

// Took is how long the request took, up to the end of its answer.
func (e *Event) Took() time.Duration { return e.End.Sub(e.Call.Start) }

// Recorder is told what happens. Its methods are called on the request's path, by many
// goroutines at once: they do not block, and keep nothing of what the pointers lead to.
type Recorder interface {
	// Begin says that a span of a kind that is counted while it lasts has begun: SpanStream.
	Begin(kind Kind, lane string)
	// Span is told of each span at its end. id is the request's, "" if it is nobody's.
	Span(id string, s Span)
	// Notice is told of what is not a part of a request's time.
	Notice(n Notice)
	// Done is told of each request, once, at its true end.
	Done(e *Event)
}

// Recorders tells all of them.
type Recorders []Recorder

// Begin implements Recorder.
func (rs Recorders) Begin(kind Kind, lane string) {
	for _, r := range rs {
		r.Begin(kind, lane)
	}
}

// Span implements Recorder.
func (rs Recorders) Span(id string, s Span) {
	for _, r := range rs {
		r.Span(id, s)
	}
}

// Notice implements Recorder.
func (rs Recorders) Notice(n Notice) {
	for _, r := range rs {
		r.Notice(n)
	}
}

// Done implements Recorder.
func (rs Recorders) Done(e *Event) {
	for _, r := range rs {
		r.Done(e)
	}
}

// Moment returns a Span without a length.
func Moment(kind Kind, lane, reason string) Span {
	now := time.Now()
	return Span{Kind: kind, Lane: lane, Reason: reason, Start: now, End: now}
}

// Survived records a panic of a goroutine that reads what others sent: it ends its own request and not the process.
func Survived(to Recorder, where string, panicked any) {
	to.Span("", Moment(SpanPanic, "", where))
	to.Notice(Notice{Level: slog.LevelError, Message: "a call panicked", Fields: []slog.Attr{slog.String("where", where), slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack()))}})
}
