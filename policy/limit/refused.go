package limit

import (
	"math"
	"time"
)

// maxLatency bounds how long refusals are taken to need: some queue before they say
// no, and that tells nothing about the way.
const maxLatency = 2 * time.Second

// Refused tells that the upstream refused w. It learns from it, and puts w back in
// at its old place: Queued. If the wait would outlast w's deadline it says TooLate
// instead, and NeverFits if w can never be admitted; w is then over.
func (l *Limiter) Refused(now time.Time, w *Waiter, r Refusal) Decision {
	now = l.tick(now)
	l.adopt(w)
	l.Sent(now, w)
	l.queue.remove(w)
	sent := w.state == stateSent
	w.state = stateIdle
	r, bad := r.clean()
	l.counts.IgnoredTexts += bad
	l.counts.Refusals++
	l.slowed = true
	if sent {
		l.learn(now, w, r)
	}
	if r.tooLarge() || l.neverFits(w) {
		return Decision{Reason: NeverFits}
	}
	wait := l.wait(now, w)
	if w.outlasts(now, wait) || (r.HintFalse || r.Hint > maxHint) && w.doubted() {
		return Decision{Reason: TooLate, Wait: max(wait, r.Hint)}
	}
	if l.closes(now, wait) {
		return Decision{Reason: Closing, Wait: wait}
	}
	l.queue.arrive(w, l.arrival(now))
	l.queue.join(w, false)
	return Decision{Reason: Queued, Wait: wait}
}

// doubted reports whether w was told before to wait for longer than is believed, so
// that it does not stand at the head of the queue for ever.
func (w *Waiter) doubted() bool {
	before := w.disbelief
	w.disbelief = true
	return before
}

// learn takes in the refusal of w, which was sent.
func (l *Limiter) learn(now time.Time, w *Waiter, r Refusal) {
	for u := range units {
		l.refused[u] += w.cost(u)
	}
	l.recent.Refuse(now.Sub(l.start), w.amounts())
	l.history.Add(w.sent, -1)
	// What is refused uses no tokens; whether it uses a request is not told.
	for _, s := range l.active {
		if s.counts() != unitRequest {
			l.bucket(s).give(now, l.refund(w, s))
		}
	}
	if d := now.Sub(l.start) - w.sent; d > 0 {
		l.latency = min(max(d, l.latency*7/8), maxLatency)
	}
	l.learnHeaders(now, w, r.Headers, false)
	if r.Hint == 0 && !r.HintFalse {
		r.Hint = min(r.Headers.Reset, maxReset)
	}
	l.overrule(w, r)
	s, counted := l.blame(r)
	if r.HintFull && counted {
		r.Hint = l.fits(w, s, r)
	}
	switch {
	case r.HintFalse || !counted || !l.set.Learn:
		l.pause(now, r.Hint)
	case r.SlowDown:
		l.slowDown(now, w, r.Hint)
	default:
		l.learnLimit(now, w, s, r)
	}
}

// fits returns how long until w fits if the wait that its refusal told is until all of the
// limit is there again: what is missing of its cost comes in before that where the limit
// refills evenly.
func (l *Limiter) fits(w *Waiter, s slot, r Refusal) time.Duration {
	b := l.bucket(s)
	if !b.active || !b.reading.continuous || b.known() == 0 {
		return r.Hint
	}
	if left, ok := remainingOf(r.Headers, s); ok {
		missing := max(0, b.price(s.counts(), w.amounts())-left)
		return min(r.Hint, seconds(missing/b.known()))
	}
	return r.Hint
}

// remainingOf is what headers tell that remains in s, and whether they do.
func remainingOf(h Headers, s slot) (float64, bool) {
	for _, told := range h.Readings {
		if of, ok := slotOf(told.Dimension); ok && of == s && told.Remaining >= 0 {
			return told.Remaining, true
		}
	}
	return 0, false
}

// blame returns the slot that a refusal is about, and whether there is one.
func (l *Limiter) blame(r Refusal) (slot, bool) {
	if r.Dimension != "" {
		return slotOf(r.Dimension)
	}
	// It does not say: it is the one that has least left for its limit.
	least, which := math.Inf(1), slotRequests
	for _, s := range l.active {
		b := l.bucket(s)
		if share := b.level(l.last) / float64(b.burst); s != slotSpike && b.window < longWindow && share < least {
			least, which = share, s
		}
	}
	return which, true
}

// learnLimit learns from the refusal of w for a limit.
func (l *Limiter) learnLimit(now time.Time, w *Waiter, s slot, r Refusal) {
	l.learnCharge(now, w, s, r)
	barred, window := l.bar(now, w, s, r), r.proof()
	switch {
	case window >= longWindow:
		l.prove(now, w, s.long(), r, window)
	case window > 0:
		l.prove(now, w, s, r, window)
	case r.tooLarge():
		l.counts.IgnoredTexts++
	case barred:
	case r.Hint > maxHint:
		l.counts.IgnoredHints++
		l.doubt(now)
	default:
		l.guess(now, w, s, r)
	}
}

// longSlots are those of limits by the hour or day.
var longSlots = [...]slot{slotRequestsLong, slotTokensLong}

// lasts reports whether a refusal shows that a limit by the hour or day is used up for as long as it says: by its arithmetic,
// or because it names the limit, its window and a wait within that ("Rate limit of 50 per 86400s exceeded … Please wait
// 66552 seconds", GitHub Models). Numbers that do not fit the wait show nothing.
func (r Refusal) lasts() bool {
	if r.Used > 0 {
		return r.proof() >= longWindow
	}
	return r.Limit > 0 && !r.tooLarge() && r.Window >= longWindow && r.Hint <= r.Window
}

// bar takes in the refusal of w for s: who needs more than is left is told at once from now on, until it is there, but for
// one a minute, whose answer tells whether that still holds. It reports whether that is so.
func (l *Limiter) bar(now time.Time, w *Waiter, s slot, r Refusal) bool {
	if l.set.Longest <= 0 || r.Hint <= l.set.Longest || !r.lasts() {
		return false
	}
	a := &l.quotas()[s.long()]
	if now.Before(a.moot) {
		return false
	}
	if w.sent < a.at {
		return a.proven
	}
	left := 0.0
	if s.counts() == unitToken && r.Used > 0 && r.Requested > 0 {
		left = max(0, r.Limit-r.Used) / r.Requested * float64(l.price(w, s.long())) // in what is charged here
	}
	a.at, a.proven = w.sent, true
	a.set(now, int64(left), now.Add(r.Hint))
	a.again(now)
	if a.until.After(l.bounded) {
		l.bounded = a.until
	}
	l.slowed = true
	return true
}

// again lets one try after a minute.
func (a *allowance) again(now time.Time) { a.every, a.probe = maxHint, now.Add(maxHint) }

// barred returns for how long what w needs is known not to be there, if that is longer than anybody waits. Whose turn it is to
// try is not barred, and finds room.
func (l *Limiter) barred(now time.Time, w *Waiter) time.Duration {
	if l.set.Longest <= 0 || !now.Before(l.bounded) {
		return 0
	}
	longest := time.Duration(0)
	for _, s := range longSlots {
		a, cost := &l.allowed[s], l.price(w, s)
		if left := a.until.Sub(now); a.proven && left > l.set.Longest && a.wait(now, cost) > 0 {
			longest = max(longest, left)
		}
	}
	return longest
}

// room lets one that is to try through the account that the same refusal emptied.
func (l *Limiter) room(now time.Time, w *Waiter) {
	if !now.Before(l.bounded) {
		return
	}
	for _, s := range longSlots {
		a, b, cost := &l.allowed[s], l.at(s), l.price(w, s)
		if a.proven && b.active && a.empty(now, cost) && a.wait(now, cost) == 0 {
			b.set(now, max(b.level(now), b.need(cost)))
		}
	}
}

// disprove takes in that w was accepted: if it was one that tried, what barred the others is over, and so is what
// was learned with it.
func (l *Limiter) disprove(now time.Time, w *Waiter) {
	if l.allowed == nil {
		return
	}
	for _, s := range longSlots {
		a := &l.allowed[s]
		if !a.proven || !w.probing || w.admitted != a.tried || w.sent <= a.at {
			continue
		}
		*a = allowance{at: w.sent}
		a.refute(now)
		if b := l.at(s); b.active && b.source == SourceText {
			l.drop(s)
		}
	}
}
