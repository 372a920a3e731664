package concurrency

import "time"

// Evidence is what a refusal says about its reason. The zero value is Unclear.
type Evidence uint8

const (
	// Unclear is a bare 429, which may be about the rate.
	Unclear Evidence = iota
	// Capacity is a refusal that says that the upstream is overloaded or full, or any 503.
	Capacity
	// Named is a refusal that names concurrency.
	Named
)

// String returns the evidence as pages and logs show it.
func (e Evidence) String() string {
	switch e {
	case Capacity:
		return "overloaded refusals"
	case Named:
		return "refusals that name concurrency"
	default:
		return "bare refusals"
	}
}

// Refused tells that c was refused and reports whether a limit on concurrency explains
// it. Then c is to wait until Allowed permits it; else the refusal means something else,
// or names a wait, hint, that explains more.
func (l *Limiter) Refused(now time.Time, c *Call, e Evidence, hint time.Duration) bool {
	if !c.running {
		return false
	}
	l.settle(now)
	l.remove(c)
	l.took = max(now.Sub(c.sent), l.took/2)
	l.consent = min(max(2*l.took, minConsent), maxConsent)
	// Those that were refused since c was sent had not been accepted. What ran when it was
	// sent may have ended meanwhile, and of a burst that was sent at once others than the
	// first ones may have been accepted: so the larger of both views.
	estimate := max(c.others-(l.refusals-c.refusals), l.running+l.others)
	proven := l.provenBefore(now, c)
	l.refusals, l.last, l.proven = l.refusals+1, now, 0
	switch {
	case e == Unclear && l.limit > 0 && l.source != Unclear:
		return l.explains(now, c, estimate)
	case estimate < floor && e == Named && (hint > 0 || !l.fullSince.IsZero() && now.Sub(l.fullSince) >= fullFor):
		return false
	case estimate < floor && e == Named:
		return l.full(now, c)
	case estimate < floor, estimate < proven:
		return l.contradicted(now)
	case e == Unclear && l.limit == 0 && (now.Before(l.deafTill) || !l.minute.slow(now, estimate) || !l.long(now)):
		return false
	case e == Unclear && l.fell(estimate, c):
		l.drop(now)
		l.deafTill = now.Add(waryFor)
		return false
	}
	if l.agreed++; l.limit == 0 && e != Named && now.Before(l.waryTill) && l.agreed <= l.wary {
		return false
	}
	l.learn(now, c, e, estimate)
	return true
}

// long reports whether calls last for long, and for much longer than a refusal takes. Else
// most of those that run are on their way, and the rate explains a bare refusal better.
func (l *Limiter) long(now time.Time) bool {
	lasts := time.Duration(0)
	if l.whole.samples >= samplesLeast {
		lasts = seconds(l.whole.value)
	} else if l.newest != nil {
		oldest := l.newest
		for oldest.prev != nil {
			oldest = oldest.prev
		}
		lasts = now.Sub(oldest.sent)
	}
	return lasts >= max(longLeast, longShare*l.took)
}

// explains reports whether a limit that is known by better evidence explains a bare
// refusal: it does if the refused call was a probe of it.
func (l *Limiter) explains(now time.Time, c *Call, estimate int) bool {
	if !c.probe {
		return false
	}
	l.learn(now, c, l.source, max(estimate, floor))
	return true
}

// fell reports whether a bare refusal shows that the limit was none: the first call after
// it was believed is refused although it kept to it, or refusals in a row have taken it
// under half.
func (l *Limiter) fell(estimate int, c *Call) bool {
	if l.limit == 0 || c.probe || c.others >= l.limit {
		return false
	}
	if l.fellFrom == 0 {
		l.fellFrom = l.limit
	}
	return l.trial && c.refusals == l.refusals-1 || 2*estimate < l.fellFrom
}

// learn takes an estimate over.
func (l *Limiter) learn(now time.Time, c *Call, e Evidence, estimate int) {
	fresh := l.limit == 0
	switch {
	case l.shared && c.probe && !fresh: // how many others run is known too late to tell more than that there is no room for it
	case l.shared && !fresh && now.Sub(l.since) < sameTime: // what was under way when the limit was found
	case l.shared && !fresh: // else those of others would count twice, and c go again at once
		l.limit = min(l.limit, max(l.running+l.others, floor))
	case fresh || estimate < l.limit || c.probe:
		l.limit = min(estimate, ceiling)
	}
	if fresh || e > l.source {
		l.source = e
	}
	switch {
	case fresh:
		l.gap, l.trial, l.since = firstGap, e == Unclear, now
	case !c.probe && 2*l.limit > l.gapAt:
		return // the next probe has its time
	case !c.probe: // much is to be won back, and soon
		l.gap = firstGap
	case !l.probed.IsZero():
		l.gap = min(2*l.gap, maxGap)
	}
	l.step, l.probed, l.reached = probeSize, time.Time{}, 0
	l.gapAt, l.probeAt = l.limit, now.Add(l.gap)
}

// full is a refusal that names concurrency while nothing else of ours runs: others use
// the limit up.
func (l *Limiter) full(now time.Time, c *Call) bool {
	l.learn(now, c, Named, floor)
	if l.fullSince.IsZero() {
		l.fullSince = now
	}
	l.heldGap = min(max(2*l.heldGap, firstGap), maxGap)
	l.held = now.Add(l.heldGap)
	return true
}

// contradicted counts a refusal that no limit explains.
func (l *Limiter) contradicted(now time.Time) bool {
	l.doubts += contradictionWeight
	l.agreed = 0
	if l.doubts >= contradictionsLeast && l.source != Named {
		l.drop(now)
	}
	return false
}

// drop forgets the limit, if there is one, and makes the next one harder to believe.
func (l *Limiter) drop(now time.Time) {
	if !now.Before(l.waryTill) {
		l.wary = 0
	}
	if l.limit > 0 {
		l.wary = min(max(1, 2*l.wary), mostWary)
	}
	l.waryTill = now.Add(waryFor)
	l.limit, l.doubts, l.agreed = 0, 0, 0
	l.forget()
}

// forget ends all that is under way about a limit.
func (l *Limiter) forget() {
	l.trial, l.fellFrom, l.held, l.heldGap = false, 0, time.Time{}, 0
	l.probed, l.reached = time.Time{}, 0
}

// provenBefore returns the most calls that ran at once, one that was accepted among
// them, which was sent after the last refusal had come and before c: it shows that it was
// accepted by having ended, or by not having been refused before c was.
func (l *Limiter) provenBefore(now time.Time, c *Call) int {
	proven := l.proven
	if now.Sub(l.provenAt) > provenFor {
		proven = 0
	}
	before := c.sent.Add(-now.Sub(c.sent)/disorder - disorderTime)
	for d := l.newest; d != nil && d.refusals == l.refusals; d = d.prev {
		if !d.sent.After(before) {
			proven = max(proven, d.others+1-d.blur)
		}
	}
	return proven
}
