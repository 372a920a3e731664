package limit

import "time"

// An upstream charges a request for tokens in ways that the estimate does not know: by another
// count of the input, and with a constant where nothing bounds the output (6,500 for a call
// without max_tokens, dcdpr/jp#1085). So the charge is a factor times the estimate plus a
// constant (tariff), one for requests that bound their output and one for those that do not. The
// constants are 0 until something shows that mostFactor does not explain the charge:
//   - a refusal's Requested: exactly that (request);
//   - what answers to one burst tell that remains, which the charges set apart (fall);
//   - a refusal although its headers tell that enough remains (contradicted).
//
// What remaining fell by over longer includes what others use. So it never raises a constant
// by more than closeShare, and lowers it as far as it tells (settle).
const (
	// closeShare is how far from the charge a measurement may be that is taken for noise.
	closeShare = 0.1
	// overLeft is how many times what remained a request is taken to cost that was refused
	// all the same: the next answer tells if it is less.
	overLeft = 2
	// nearlySpent is the part of a limit up to which what remains can explain a refusal.
	nearlySpent = 0.5
)

// price is what one request is charged. A constant that was learned from others makes none
// larger than the limit.
func (b *bucket) price(u unit, a amounts) float64 {
	price := b.charge(u, a)
	if b.limit > 0 && u == unitToken {
		price = min(price, max(b.limit, price-b.constant(a)))
	}
	return price
}

// explained reports whether the factor alone can make a's estimate charged.
func (b *bucket) explained(a amounts, charged float64) bool {
	return !b.constants() && charged <= mostFactor*float64(a[unitToken])
}

// fix sets the constant of a tariff so that a is charged so much.
func (b *bucket) fix(a amounts, charged float64) {
	c := a.output()
	rest := charged - b.charge(unitToken, a) + b.fixed[c]*a.of(c)
	b.fixed[c] = min(max(0, rest/a.of(c)), maxUnits)
}

// requested takes in what the text of a refusal says that a request was to be charged.
func (b *bucket) requested(a amounts, charged float64) {
	known := b.fixed[a.output()] > 0
	if !known && charged <= mostFactor*float64(a[unitToken]) {
		b.learnFactor(charged/float64(a[unitToken]), 2*settleShare)
		return
	}
	if known {
		charged = (charged + b.charge(unitToken, a)) / 2
	}
	b.fix(a, charged)
}

// contradicted takes in that a request was refused while so much was left.
func (b *bucket) contradicted(a amounts, left float64) {
	if left < b.price(unitToken, a) || left > nearlySpent*b.limit || b.explained(a, left) {
		return
	}
	b.fix(a, min(overLeft*left, b.limit))
}

// measured takes in that remaining fell by so much while a was sent.
func (b *bucket) measured(a amounts, told float64) {
	charge, constant := b.charge(unitToken, a), b.constant(a)
	if constant > 0 && told < charge*(1+closeShare) {
		if told > charge*(1-closeShare) {
			told = charge + (told-charge)*settleShare
		}
		part := max(0, told-charge+constant) / constant
		for c := range outputs {
			if a.of(c) > 0 {
				b.fixed[c] *= part
			}
		}
		return
	}
	estimated := float64(a[unitToken])
	if ratio := (told - constant) / estimated; estimated >= settleLeast && (constant == 0 || ratio <= mostFactor) {
		b.learnFactor(ratio, settleShare)
	}
}

// learnCharge learns from the refusal of w for s what it was to be charged.
func (l *Limiter) learnCharge(now time.Time, w *Waiter, s slot, r Refusal) {
	b, a := l.bucket(s), w.amounts()
	if s.counts() != unitToken || a[unitToken] == 0 {
		return
	}
	before := b.tariff
	if r.Limit > 0 && r.Requested > 0 {
		b.requested(a, min(r.Requested, r.Limit))
	} else if left, ok := remainingOf(r.Headers, s); ok && b.active {
		b.contradicted(a, left)
	}
	l.relearn(now, s, before)
}

// fell learns what a burst was charged from what the answer to w tells that is left, even if
// answers to later ones came before it.
func (l *Limiter) fell(now time.Time, w *Waiter, s slot, r Reading) {
	b, sent := l.bucket(s), amounts(l.sent).minus(l.refused)
	first := b.fall.n == 0
	b.fall.see(w, r, amounts(w.mark).minus(w.amounts()).minus(l.refused))
	a, whole := b.fall.whole(sent)
	if first {
		b.unclear = !whole && r.Limit > 0 && !b.explained(sent, r.Limit-r.Remaining)
	} else if whole || b.fall.n == 1 {
		b.unclear = false
	}
	if !whole || a[unitToken] <= 0 || !b.active {
		return
	}
	told, least := b.fall.charged(b.known())
	if told > b.charge(unitToken, a)*(1+closeShare) && !b.explained(a, told) {
		was := b.tariff
		b.fix(a, told)
		l.relearn(now, s, was)
	}
	if told > 0 && b.constants() {
		since := (now.Sub(l.start) - least.sent).Seconds()
		left := least.left + b.known()*since - b.charge(unitToken, amounts(l.taken).minus(l.sent))
		b.lower(now, min(b.level(now), left*milli))
	}
}

// refund is what the account of s is given back for w, which was refused and so not charged.
// Where an answer told what was left, w counts as it was counted then.
func (l *Limiter) refund(w *Waiter, s slot) int64 {
	b := l.bucket(s)
	switch told := &b.reading; {
	case s.counts() != unitToken || !told.capped || !told.tariff.constants():
		return w.charge[s]
	case w.mark[unitRequest] <= told.mark[unitRequest]:
		return 0
	default:
		return int64(told.tariff.charge(unitToken, w.amounts()) * milli)
	}
}

// relearn drops what refusals showed of the rate in s while a constant in its charge was not
// known: it looks as if others used the limit.
func (l *Limiter) relearn(now time.Time, s slot, before tariff) {
	b, t, u := l.bucket(s), now.Sub(l.start), s.counts()
	if !b.active || before.constants() || !b.constants() {
		return
	}
	e := &b.estimate
	l.measure(s)
	if b.known() > 0 {
		e.reset(b.known(), t)
		e.firm = true
	} else {
		e.rate *= e.scale
	}
	if e.n > 0 {
		e.marks, e.n = [len(e.marks)]mark{{t, l.sent[u] - l.refused[u], l.sent[u]}}, 1
	}
	b.tune(now, t)
}

// scale is how many units s charges for each that is counted, because of constants. The
// factor is left out: estimates of rates count with it.
func (l *Limiter) scale(s slot) float64 {
	b := l.at(s)
	if constant := b.constant(l.taken); s.counts() == unitToken && constant > 0 {
		return b.charge(unitToken, l.taken) / float64(max(1, l.taken[unitToken]))
	}
	return 1
}

// measure makes the estimate of s count in units that are charged, where there are constants.
func (l *Limiter) measure(s slot) {
	b := l.at(s)
	if b.constants() {
		b.estimate.scale, b.estimate.unit = l.scale(s), l.mean(s)
	}
}
