package recent

import (
	"slices"

	"outrigger/proxy/observe"
)

// Kept is how many of the last requests are kept, and KeptTroubled how many more of those
// before them that did not go well.
const (
	Kept         = 200
	KeptTroubled = 100
)

// entry is a request in the ring. Its spans are kept as they were told, in memory that the
// next request in its place uses again.
type entry struct {
	request Request // without Spans
	spans   []kept
}

// ring keeps the last requests.
type ring struct {
	last, troubled []entry
	at, atTroubled int // where the next one goes, once they are full
}

// next returns the entry for a request that ends now. The one that was there goes, or is kept
// with the troubled ones.
func (r *ring) next() *entry {
	if len(r.last) < Kept {
		r.last = append(r.last, entry{})
		return &r.last[len(r.last)-1]
	}
	e := &r.last[r.at]
	r.at = (r.at + 1) % Kept
	if e.request.troubled() {
		r.keep(e)
	}
	return e
}

// keep moves e to the troubled ones, and leaves in e the memory of the one that goes.
func (r *ring) keep(e *entry) {
	if len(r.troubled) < KeptTroubled {
		r.troubled = append(r.troubled, *e)
		*e = entry{}
		return
	}
	old := &r.troubled[r.atTroubled]
	r.atTroubled = (r.atTroubled + 1) % KeptTroubled
	*e, *old = *old, *e
}

// troubled reports whether a request did not go well: it failed, or took more than one attempt.
func (q *Request) troubled() bool {
	return q.Outcome != outcomeCompleted || q.Attempts > 1 || q.Failover != "" || q.Resumes > 0
}

// after returns the requests with a number over seq, by number.
func (r *ring) after(seq uint64) []Request {
	var found []Request
	for _, es := range [...][]entry{r.troubled, r.last} {
		for i := range es {
			if es[i].request.Seq > seq {
				found = append(found, es[i].whole())
			}
		}
	}
	slices.SortFunc(found, func(a, b Request) int {
		if a.Seq < b.Seq {
			return -1
		}
		return 1
	})
	return found
}

// whole returns the request with its spans.
func (e *entry) whole() Request {
	q := e.request
	for i := range e.spans {
		k := &e.spans[i]
		s := Span{Kind: string(k.Kind), Upstream: k.Lane, Reason: k.Reason, At: millis(k.Start.Sub(q.Start)), Took: millis(k.End.Sub(k.Start))}
		if k.Kind == observe.SpanAttempt {
			s.Attempt = &Attempt{
				Number: k.Try.Number, Status: k.Try.Status, Outcome: k.Try.Outcome.String(), Rule: k.Try.Rule,
				Wait: millis(k.Try.Wait), Hint: millis(k.Try.Hint), Hold: millis(k.hold),
			}
		}
		q.Spans = append(q.Spans, s)
	}
	return q
}
