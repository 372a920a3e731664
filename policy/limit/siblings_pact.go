package limit

import (
	"math/bits"
	"time"
)

// What it takes to believe that some share an account, or do not. Each level that is
// told counts only if the two explanations differ by more than all that is not known,
// by a number of requests that changes from one to the next.
const (
	joinCount = 8
	joinEach  = 2
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
	bases   []observation
	tests   int
	cases   [2]proof
	against int
	need    int // what is asked for in addition, in fits
}

// observe takes in a level told to m in one way, of the account that a describes.
func (s *Siblings) observe(t time.Duration, m *Sibling, k kind, o observation, a series) Change {
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
func (s *Siblings) suspect(t time.Duration, m *Sibling, k kind, o observation) {
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
func (s *Siblings) mayShare(t time.Duration, m, x *Sibling, k kind) bool {
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
func (s *Siblings) test(t time.Duration, m *Sibling, k kind, o observation, set, own uint64) outcome {
	p := s.pact(set, k)
	if p == nil {
		return openOutcome
	}
	base, other := p.base(m.slot), s.other(set&^own, k, o)
	if base == nil {
		p.bases = append(p.bases, o)
		return openOutcome
	}
	if other == nil || o.at <= base.at {
		return openOutcome
	}
	var found [2]finding
	told, refuted := false, true
	for c := range found {
		joint, ok := s.expect(t, *base, o, set, k, &m.series[k], c == 1)
		alone, ok2 := s.expect(t, *base, o, own, k, &m.series[k], c == 1)
		across, ok3 := s.expect(t, *other, o, set, k, &m.series[k], c == 1)
		if !ok || !ok2 || !ok3 {
			*base = o
			return openOutcome
		}
		refuted = refuted && !joint.holds(o.level)
		if joint.high+float64(1+p.tests%joinSteps) > alone.low {
			continue
		}
		told = true
		switch {
		case joint.holds(o.level) && across.holds(o.level):
			found[c] = findingJoint
			p.cases[c].fit(own, alone, o, *base)
		case alone.holds(o.level):
			found[c] = findingAlone
		default:
			found[c] = findingNeither
		}
	}
	if !told {
		return openOutcome
	}
	*base = o
	return p.count(k, found, refuted)
}

// finding is which explanation fits a level that was told.
type finding uint8

const (
	findingNone finding = iota // they do not differ enough
	findingJoint
	findingAlone
	findingNeither
)

// count takes in a test that told something. refuted says that the set's sharing
// does not fit, whether refusals are charged or not.
func (p *pact) count(k kind, found [2]finding, refuted bool) outcome {
	p.tests++
	for c, f := range found {
		if f == findingAlone || f == findingNeither {
			p.cases[c] = proof{misses: p.cases[c].misses + 1}
		}
	}
	switch {
	case !refuted:
		p.against = 0
	case found[0] == findingAlone || found[1] == findingAlone:
		p.against++
	}
	if p.against >= partCount {
		return partedOutcome
	}
	for c := range p.cases {
		if p.cases[c].proves(p.need, odds[k]) {
			return joinedOutcome
		}
	}
	return openOutcome
}

// other returns the latest level that was told to one of a set before o.
func (s *Siblings) other(set uint64, k kind, o observation) *observation {
	var best *observation
	for ; set != 0; set &= set - 1 {
		x := s.watched[bits.TrailingZeros64(set)]
		if l := &x.series[k].latest; l.id != 0 && l.at < o.at && (best == nil || l.at > best.at) {
			best = l
		}
	}
	return best
}
