package recent

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"outrigger/internal/clip"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
	"outrigger/proxy/wire"
)

// Bounds of text in bytes. What is longer ends in a hash; see clip.Text.
const (
	maxPath  = 120
	maxName  = 64 // of models, callers, ids, and an error's type, code and parameter
	maxWords = 200
)

const outcomeCompleted = string(call.OutcomeCompleted)

// Recorder keeps the last requests and counts. It implements observe.Recorder, and is safe for
// concurrent use. Make it with New.
type Recorder struct {
	mu      sync.Mutex
	pending pendings
	ring    ring
	totals  Totals
	seq     uint64
}

// New returns a Recorder that counts from now on.
func New(now time.Time) *Recorder {
	return &Recorder{totals: Totals{Since: now, Streams: Streams{Ended: map[string]int{}}}}
}

// Observe says that requests are only observed.
func (r *Recorder) Observe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.observed()
}

func (r *Recorder) observed() {
	if r.totals.Observed == nil {
		r.totals.Observed = &Observed{Would: map[observe.Would]int64{}}
	}
}

// Begin implements observe.Recorder.
func (r *Recorder) Begin(kind observe.Kind, _ string) {
	if kind == observe.SpanStream {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.totals.Streams.Open++
	}
}

// Span implements observe.Recorder.
func (r *Recorder) Span(id string, s observe.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.Kind == observe.SpanStream:
		r.totals.Streams.Open--
		r.totals.Streams.Ended[s.Reason]++
	case s.Kind == observe.SpanResume && s.Reason == resumed:
		r.totals.Streams.Resumed++
	}
	if id != "" {
		r.pending.of(id).add(&s)
	}
}

// resumed is the reason of a SpanResume after which the stream went on; see package stream.
const resumed = "resumed"

// Notice implements observe.Recorder.
func (*Recorder) Notice(observe.Notice) {}

// Done implements observe.Recorder.
func (r *Recorder) Done(e *observe.Event) {
	q := requestOf(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Foreseen != nil {
		r.observed()
		r.totals.Observed.add(e.Foreseen)
	}
	if !e.Alone { // that its caller left was counted then
		r.totals.Requests++
		r.totals.add(e)
	}
	r.seq++
	q.Seq = r.seq
	p := r.pending.take(e.Call.ID)
	into := r.ring.next()
	into.spans = into.spans[:0]
	if p != nil {
		into.spans = append(into.spans, p.spans...)
		q.More = p.more
	}
	into.request = q
	r.pending.release(p)
}

// requestOf is what is kept of e, but for its spans. No text is kept that shares memory with
// a caller's request.
func requestOf(e *observe.Event) Request {
	x, res := e.Call, e.Result
	q := Request{
		ID: x.ID, Start: x.Start, Took: millis(e.Took()),
		Asked: Asked{
			Method: methodOf(x.Method), Path: own(wire.MaskedPath(x.Path), maxPath), Endpoint: x.Endpoint.Name,
			Model: own(x.Facts.Model, maxName), Caller: own(x.CallerLabel, maxName), Credential: e.Credential,
		},
		Answered: Answered{
			Status: res.Status, Outcome: res.Result(), Source: string(res.Source), Upstream: e.Upstream, Attempts: res.Attempts,
			Failover: own(res.Failover, maxWords), Reason: res.Reason, Idempotency: res.Idempotency, Resumes: res.Resumes,
			UpstreamID: own(res.UpstreamID, maxName), ErrorType: own(res.ErrorType, maxName), ErrorCode: own(res.ErrorCode, maxName),
			ErrorParam: own(res.ErrorParam, maxName), Alone: e.Alone,
		},
		Waited: Waited{Queue: millis(res.Queue), Breaker: millis(res.Gate), First: millis(res.First)},
	}
	if e.Foreseen != nil {
		q.Would, q.WouldOutcome = e.Foreseen.Would, e.Foreseen.Outcome
	}
	if e.Sent != x.Facts.Model {
		q.SentModel = own(e.Sent, maxName)
	}
	if res.Local != "" {
		q.Error = own(res.ErrorMessage, maxWords)
	}
	return q
}

// methodOf is a method as it is kept: nearly all are a word that net/http has.
func methodOf(method string) string {
	switch method {
	case http.MethodPost:
		return http.MethodPost
	case http.MethodGet:
		return http.MethodGet
	}
	return own(method, wire.MaxMethod)
}

// own returns text of at most most bytes that shares no memory with text.
func own(text string, most int) string { return strings.Clone(clip.Text(text, most)) }

// After returns the requests that are kept and have a number over seq, the oldest first: all
// of them for 0.
func (r *Recorder) After(seq uint64) []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seq <= seq {
		return nil
	}
	return r.ring.after(seq)
}

// Totals returns what was counted so far.
func (r *Recorder) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.totals
	t.Streams.Ended = maps.Clone(t.Streams.Ended)
	if t.Observed != nil {
		o := *t.Observed
		o.Would = maps.Clone(o.Would)
		t.Observed = &o
	}
	return t
}
