package shared

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

const (
	// joinNamed and joinUnnamed are how many answers in a row must fit before limiters are
	// joined, and partCount how many must contradict before they are parted.
	joinNamed   = 5
	joinUnnamed = 8
	partCount   = 4
	// partedMore is how many more it takes to join those that were parted, and mostMisses
	// bounds what misses ask for.
	partedMore = 24
	mostMisses = 64
	// distinct is by how many requests the two explanations must differ, and rounding how
	// much is lost of a level that is told in whole requests.
	distinct = 3
	rounding = 1
	// blurShare is which part of a round trip may change the order of requests, within bounds.
	blurShare = 4
	blurLeast = 2 * time.Millisecond
	blurMost  = 20 * time.Millisecond
	// pending is how long there may be no word of a refusal.
	pending = 50 * time.Millisecond
	// maxSets bounds how many sets are thought of at once, and maxPairs with how many others
	// one is thought to share alone.
	maxSets  = 128
	maxPairs = 8
)

// reading is a level that an answer told.
type reading struct {
	slot  int
	at    time.Duration // when the request was sent
	level float64
}

// evidence is what speaks for a set's sharing and against it: in the first case if refusals
// are not charged, in the second if they are.
type evidence struct {
	cases  [2]evidenceCase
	misses int // asked for in addition
}

// evidenceCase is one of them.
type evidenceCase struct {
	bases   []base
	fits    int // readings in a row that sharing explains
	against int // in a row that leave more than sharing could
	misses  int // readings that sharing did not explain, ever
}

// base is what the next reading of a member is compared with. Others that use the quota may
// send in proportion to the member (a pod with the same load), or evenly, or the upstream may
// charge more than one for each request. That is refuted when no one factor explains what fitted.
type base struct {
	reading
	perOwn    span // others' requests per own request,
	perSecond span // and per second
}

// Answered tells of the answer to the request of m with that number, and of the quotas that it
// tells. It returns what that makes certain.
func (r *Registry) Answered(now time.Time, m *Member, id uint64, refused bool, told Quota) Change {
	if m.log == nil {
		return Change{}
	}
	e := m.log.get(id)
	if e == nil {
		return Change{}
	}
	t := now.Sub(r.start)
	e.state = stateAccepted
	if refused {
		e.state = stateRefused
	}
	if d := t - e.at; r.fastest == 0 || d < r.fastest {
		r.fastest = d
	}
	if told.Limit == 0 || told.Text && !m.quota.Text && m.quota.Limit > 0 { // headers tell more
		return Change{}
	}
	told2 := reading{m.slot, e.at, told.Level}
	if !m.quota.same(told) {
		r.restart(m.bit())
		m.quota, m.latest = told, told2
		return Change{}
	}
	if told2.at <= m.latest.at {
		return Change{} // an answer to an earlier request than the last
	}
	m.latest = told2
	return r.weigh(t, m, told2)
}

// restart forgets the readings of all sets that one of a set belongs to.
func (r *Registry) restart(set uint64) {
	for s, e := range r.sets {
		if s&set != 0 {
			*e = evidence{misses: e.misses}
		}
	}
}

// weigh holds what was told to m against all with whom it may share.
func (r *Registry) weigh(t time.Duration, m *Member, now reading) Change {
	if m.joined != 0 && r.test(t, m, now, m.joined).parts() {
		return r.part(m.joined)
	}
	all, pairs := m.unit(), 0
	for _, x := range &r.watched {
		if x == nil || all&x.bit() != 0 || !m.quota.same(x.quota) {
			continue
		}
		all |= x.unit()
		if pairs++; pairs > maxPairs {
			continue
		}
		if set := m.unit() | x.unit(); r.test(t, m, now, set).joins(m.quota) {
			return r.join(set)
		}
	}
	if pairs > 1 && r.test(t, m, now, all).joins(m.quota) {
		return r.join(all)
	}
	return Change{}
}

// test holds what was told to m against what a set sent since the reading before. It returns
// nil if too many sets are thought of already.
func (r *Registry) test(t time.Duration, m *Member, now reading, set uint64) *evidence {
	e := r.sets[set]
	if e == nil && len(r.sets) >= maxSets {
		return nil
	}
	if e == nil {
		e = &evidence{}
		r.sets[set] = e
	}
	for c := range e.cases {
		r.compare(t, m, now, set, &e.cases[c], c == 1)
	}
	return e
}

// compare is test in one case.
func (r *Registry) compare(t time.Duration, m *Member, now reading, set uint64, e *evidenceCase, charged bool) {
	b := e.base(m.slot)
	if b == nil {
		e.bases = append(e.bases, anew(now))
		return
	}
	blur := min(max(r.fastest/blurShare, blurLeast), blurMost)
	recent := t - max(4*r.fastest, pending)
	own, ok := m.log.sent(b.at, now.at, 0, recent, charged)
	others := span{}
	for rest := set &^ m.bit(); rest != 0; rest &= rest - 1 {
		n, whole := r.watched[bits.TrailingZeros64(rest)].log.sent(b.at, now.at, blur, recent, charged)
		others.least, others.most, ok = others.least+n.least, others.most+n.most, ok && whole
	}
	slack := rounding + m.quota.Rate*blur.Seconds()
	if ok && own.least+others.least-slack < own.most+slack+distinct {
		return // both explanations are possible
	}
	from := b.reading
	b.reading = now
	used := from.level + m.quota.Rate*(now.at-from.at).Seconds() - now.level
	switch {
	case !ok: // too much is forgotten
	case used < own.least+others.least-slack: // all the more where the account was full meanwhile
		e.miss()
		e.against++
	case used > own.most+others.most+slack || !m.quota.Text && now.level >= m.quota.Limit-rounding-distinct:
		e.miss() // somebody else uses it, too, or it was full
		e.against = 0
	default:
		e.fits, e.against = e.fits+1, 0
		extra, seconds := span{used - own.most - slack, used - own.least + slack}, (now.at - from.at).Seconds()
		b.perOwn.narrow(extra.least/max(1, own.most), extra.most/max(1, own.least))
		b.perSecond.narrow(extra.least/seconds, extra.most/seconds)
	}
}

// miss takes in a reading that sharing does not explain.
func (e *evidenceCase) miss() {
	e.misses++
	e.fits = 0
	for i := range e.bases {
		e.bases[i] = anew(e.bases[i].reading)
	}
}

// anew is a base of which nothing is known but the reading.
func anew(r reading) base {
	return base{r, span{0, math.Inf(1)}, span{0, math.Inf(1)}}
}

// narrow leaves of a span what also lies in another.
func (s *span) narrow(least, most float64) { s.least, s.most = max(s.least, least), min(s.most, most) }

// base is what a member's next reading is compared with, nil for nothing.
func (e *evidenceCase) base(slot int) *base {
	for i := range e.bases {
		if e.bases[i].slot == slot {
			return &e.bases[i]
		}
	}
	return nil
}

// parts reports whether a set is shown not to share.
func (e *evidence) parts() bool {
	return e != nil && (e.cases[0].against >= partCount && e.cases[1].against >= partCount)
}

// joins reports whether a set is shown to share a quota. A header that names the owner needs no
// more than fits; else no one factor may explain them.
func (e *evidence) joins(q Quota) bool {
	if e == nil {
		return false
	}
	need := joinUnnamed
	if q.Owner != "" && !q.Text {
		need = joinNamed
	}
	for _, c := range e.cases {
		if c.fits < need+min(e.misses+c.misses, mostMisses) {
			continue
		}
		if slices.ContainsFunc(c.bases, func(b base) bool { return b.varies(q) }) {
			return true
		}
	}
	return false
}

// varies reports whether no one factor explains what fitted. Of a header's levels it must be
// clear: those of a text name model and organization.
func (b *base) varies(q Quota) bool {
	odds := 1.5
	if q.Text {
		odds = 1
	}
	return b.perOwn.least > odds*b.perOwn.most && b.perSecond.least > odds*b.perSecond.most
}
