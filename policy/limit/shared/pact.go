package shared

import (
	"math/bits"
	"time"
)

// What it takes to believe that some share an account, or do not. Each level that is
// told counts only if the two explanations differ by more than all that is not known,
// by a number of requests that changes from one to the next.
const (
	joinCount = 8
	joinEach  = 4
	partCount = 4
	// joinSteps is how many different numbers of requests are asked for in turn.
	joinSteps = 4
	// suspectTime is for how long one is held to share with somebody after its own
	// requests did not explain what was told.
	suspectTime = time.Minute
	// ownSends and ownTime bound how far back a limiter's own requests are looked at.
	ownSends = 16
	ownTime  = 5 * time.Second
	// maxPacts bounds how many sets are thought of at once, and maxPair how many others
	// one is thought to share with alone.
	maxPacts = 128
	maxPair  = 8
	// mostMisses bounds what is asked for more, and partedMore is what those that parted
	// must prove in addition.
	mostMisses = 64
	partedMore = 24
)

// pactKey names a set of limiters, and in which way levels are told.
type pactKey struct {
	set  uint64
	kind kind
}

// pact is how far it is proven that a set shares one account. The first of two cases
// holds if refusals are not charged, the second if they are.
type pact struct {
	cases [2]proof
	need  int // what is asked for in addition, in fits
}

// observe takes in a level told to m in one way, of the account that a describes.
func (s *Registry) observe(t time.Duration, m *Member, k kind, o observation, a series) Change {
	q := &m.series[k]
	if !alike(q.limit, a.limit) || !alike(q.rate, a.rate) || q.account != a.account {
		a.own, a.latest = o, o
		*q = a
		s.forgetPacts(m.bit(), k)
		return Change{}
	}
	if o.at <= q.latest.at {
		return Change{} // an answer to an earlier request than the last
	}
	defer func() { q.latest = o }()
	s.suspect(t, m, k, o)
	if m.joined != 0 {
		if s.test(t, m, k, o, m.joined, m.bit()) == partedOutcome {
			return s.part(m.joined)
		}
	}
	if t >= q.suspect {
		return Change{}
	}
	all, units := m.unit(), 1
	for slot := range s.watched {
		x := s.watched[slot]
		if x == nil || all&x.bit() != 0 || !s.mayShare(t, m, x, k) {
			continue
		}
		all |= x.unit()
		if units++; units > maxPair {
			continue
		}
		if set := m.unit() | x.unit(); s.test(t, m, k, o, set, m.unit()) == joinedOutcome {
			return s.join(set)
		}
	}
	if units > 2 && s.test(t, m, k, o, all, m.unit()) == joinedOutcome {
		return s.join(all)
	}
	return Change{}
}

// suspect finds out whether m's own requests, and those of whom it is known to share
// with, explain the level.
func (s *Registry) suspect(t time.Duration, m *Member, k kind, o observation) {
	q := &m.series[k]
	e, ok := s.expect(t, q.own, o, m.unit(), k, q, false)
	if ok && o.level < e.low {
		q.suspect = t + suspectTime
	} else if ok && o.id-q.own.id < ownSends && o.at-q.own.at < ownTime {
		return
	}
	q.own = o
}

// mayShare reports whether what is told of m and x does not rule out one account.
func (s *Registry) mayShare(t time.Duration, m, x *Member, k kind) bool {
	a, b := &m.series[k], &x.series[k]
	return t < b.suspect && alike(a.limit, b.limit) && alike(a.rate, b.rate) && a.account == b.account &&
		(m.org == "" || x.org == "" || m.org == x.org)
}

// outcome is what a test decided.
type outcome uint8

const (
	openOutcome outcome = iota
	joinedOutcome
	partedOutcome
)

// test compares a level that was told to m with what it must be if set shares one
// account, and with what it must be if own, which m belongs to, uses it alone.
func (s *Registry) test(t time.Duration, m *Member, k kind, o observation, set, own uint64) outcome {
	p := s.pact(set, k)
	if p == nil {
		return openOutcome
	}
	other := s.other(set&^own, k, o)
	for c := range p.cases {
		f := s.explain(t, m, k, o, set, own, other, &p.cases[c], c == 1)
		switch f {
		case findingAlone:
			p.cases[c].against++
		case findingJoint:
			p.cases[0].against, p.cases[1].against = 0, 0
		case findingNeither:
			p.cases[c].against = 0
		}
	}
	for c := range p.cases {
		if p.cases[c].against >= partCount {
			return partedOutcome
		}
		if p.cases[c].proves(p.need, odds[k]) {
			return joinedOutcome
		}
	}
	return openOutcome
}

// finding is which explanation fits a level that was told.
type finding uint8

const (
	findingNone finding = iota // they do not differ enough
	findingJoint
	findingAlone
	findingNeither
)

// explain finds out which explanation fits, in one case.
func (s *Registry) explain(t time.Duration, m *Member, k kind, o observation, set, own uint64, other *observation, p *proof, counted bool) finding {
	base := p.base(m.slot)
	if base == nil {
		p.bases = append(p.bases, o)
		return findingNone
	}
	if other == nil || o.at <= base.at {
		return findingNone
	}
	joint, ok := s.expect(t, *base, o, set, k, &m.series[k], counted)
	alone, ok2 := s.expect(t, *base, o, own, k, &m.series[k], counted)
	across, ok3 := s.expect(t, *other, o, set, k, &m.series[k], counted)
	if !ok || !ok2 || !ok3 {
		*base = o
		return findingNone
	}
	if joint.high+float64(1+p.tests%joinSteps) > alone.low {
		return findingNone
	}
	from := *base
	*base = o
	p.tests++
	switch {
	case joint.holds(o.level) && across.holds(o.level):
		p.fit(own, alone, o, from)
		return findingJoint
	case alone.holds(o.level):
		p.miss()
		return findingAlone
	default:
		p.miss()
		return findingNeither
	}
}

// other returns the latest level that was told to one of a set before o.
func (s *Registry) other(set uint64, k kind, o observation) *observation {
	var best *observation
	for ; set != 0; set &= set - 1 {
		x := s.watched[bits.TrailingZeros64(set)]
		if l := &x.series[k].latest; l.id != 0 && l.at < o.at && (best == nil || l.at > best.at) {
			best = l
		}
	}
	return best
}
