package recent

import (
	"time"

	"outrigger/proxy/observe"
)

// MaxPending bounds the requests under way whose spans are kept. At the bound, those of the
// request that had its first span longest ago are forgotten.
const MaxPending = 1024

// MaxSpans bounds the spans of one request: eight attempts with a wait before each, and some
// moments. The first ones are kept.
const MaxSpans = 24

// kept is a span as it is kept until somebody asks for it.
type kept struct {
	observe.Span

	hold time.Duration // of an attempt: how long the beginning of its answer was held
}

// pending are the spans of a request that has not ended.
type pending struct {
	id    string
	spans []kept
	hold  time.Duration // told of the attempt whose span comes next
	more  int

	older, newer *pending
}

// pendings are the requests under way that have spans. They are reused: most requests need no
// memory here.
type pendings struct {
	byID           map[string]*pending
	oldest, newest *pending
	free           []*pending
}

// of returns the entry of a request, made if need be.
func (ps *pendings) of(id string) *pending {
	if p := ps.byID[id]; p != nil {
		return p
	}
	if len(ps.byID) >= MaxPending {
		ps.release(ps.take(ps.oldest.id))
	}
	p := &pending{}
	if n := len(ps.free); n > 0 {
		p, ps.free = ps.free[n-1], ps.free[:n-1]
	}
	if ps.byID == nil {
		ps.byID = map[string]*pending{}
	}
	p.id, p.older = id, ps.newest
	if p.older == nil {
		ps.oldest = p
	} else {
		p.older.newer = p
	}
	ps.newest = p
	ps.byID[id] = p
	return p
}

// take removes and returns the entry of a request, nil if it has none.
func (ps *pendings) take(id string) *pending {
	p := ps.byID[id]
	if p == nil {
		return nil
	}
	delete(ps.byID, id)
	if p.older == nil {
		ps.oldest = p.newer
	} else {
		p.older.newer = p.newer
	}
	if p.newer == nil {
		ps.newest = p.older
	} else {
		p.newer.older = p.older
	}
	p.older, p.newer = nil, nil
	return p
}

// freeMost is how many unused entries are kept for the next requests.
const freeMost = 64

// release gives an entry back, nil too.
func (ps *pendings) release(p *pending) {
	if p == nil || len(ps.free) >= freeMost {
		return
	}
	*p = pending{spans: p.spans[:0]}
	ps.free = append(ps.free, p)
}

// add keeps a span.
func (p *pending) add(s *observe.Span) {
	if s.Kind == observe.SpanHold {
		p.hold = s.End.Sub(s.Start)
		return
	}
	if len(p.spans) >= MaxSpans {
		p.more++
		return
	}
	k := kept{Span: *s}
	if s.Kind == observe.SpanAttempt {
		k.hold, p.hold = p.hold, 0
	}
	p.spans = append(p.spans, k)
}
