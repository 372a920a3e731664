package limit

import "time"

// Limiter admits the requests of one (upstream, credential, model). It is not safe
// for concurrent use: the caller locks. It never waits, reads a clock or starts
// anything; a time before the latest one it saw counts as that one.
type Limiter struct {
	set     Settings
	start   time.Time
	last    time.Time
	line    line
	buckets [slots]bucket
	active  []slot // those of buckets that are in use
	ramp    ramp
	gate    time.Time // nobody goes before
	recent  recent
	latency time.Duration // how long refusals take
	tight   time.Duration // until then no burst is tried
	taken   [slots]int64  // admitted so far, in requests, tokens, images
	sent    [slots]int64  // written to the wire so far
	refused [slots]int64  // refused so far
	count   Counters
}

// New returns a limiter that nobody has used.
func New(s Settings, now time.Time) *Limiter {
	l := &Limiter{set: s, start: now, last: now, active: make([]slot, 0, slots)}
	for i := range l.buckets {
		l.buckets[i].factor = 1
	}
	l.configure(now, slotRequests, s.RPM)
	l.configure(now, slotTokens, s.TPM)
	l.ramp.step = coldStep
	if s.Learn && len(l.active) == 0 {
		l.ramp.start(coldQuota)
	}
	return l
}

// configure opens the account of a limit that the operator knows.
func (l *Limiter) configure(now time.Time, s slot, limit int) {
	if limit <= 0 {
		return
	}
	b := &l.buckets[s]
	b.limit, b.window, b.source, b.hard = float64(min(limit, maxUnits)), time.Minute, SourceConfigured, true
	b.estimate.rate = b.known()
	b.ahead = int64(b.known() * milli)
	l.open(now, s, maxUnits*milli)
}

// open puts a bucket to use, with a level.
func (l *Limiter) open(now time.Time, s slot, level float64) {
	b := &l.buckets[s]
	if b.active {
		return
	}
	l.active = append(l.active, s)
	b.estimate.unit = 1
	if n := l.taken[slotRequests]; n > 0 {
		b.estimate.unit = max(1, float64(l.taken[s])/float64(n))
	}
	b.open(now, level)
	b.tune(now, now.Sub(l.start))
	b.reserve = max(0, b.ahead-b.burst)
}

// tick returns now, or the latest time seen if now lies before it.
func (l *Limiter) tick(now time.Time) time.Time {
	if now.Before(l.last) {
		return l.last
	}
	l.last = now
	return now
}

// Enter asks for w to be let through: Admitted at once, or Queued, or turned away
// with the predicted wait. After Queued call Release, which tells when to call again.
// A Waiter that was admitted and never sent gives that permit back first.
func (l *Limiter) Enter(now time.Time, w *Waiter) Decision {
	now = l.tick(now)
	if w.queued() {
		return Decision{Reason: Queued, Wait: l.wait(now, w)}
	}
	l.undo(now, w)
	w.until = w.Deadline
	if l.set.QueueTimeout > 0 {
		if end := now.Add(l.set.QueueTimeout); w.until.IsZero() || end.Before(w.until) {
			w.until = end
		}
	}
	if l.neverFits(w) {
		return Decision{Reason: NeverFits}
	}
	if !w.Deadline.IsZero() && !now.Before(w.Deadline) {
		return Decision{Reason: TooLate}
	}
	if l.line.length == 0 && l.wait(now, w) == 0 {
		l.admit(now, w)
		return Decision{}
	}
	predicted := l.predict(now, w)
	if l.set.QueueMax > 0 && l.line.length >= l.set.QueueMax {
		return Decision{Reason: QueueFull, Wait: predicted}
	}
	if !w.until.IsZero() && predicted >= w.until.Sub(now) {
		return Decision{Reason: TooLate, Wait: predicted}
	}
	l.line.join(w)
	return Decision{Reason: Queued, Wait: predicted}
}

// Leave ends w's wait, or gives back the permit of one that was admitted and never
// sent. For any other it does nothing.
func (l *Limiter) Leave(now time.Time, w *Waiter) {
	now = l.tick(now)
	l.line.remove(w)
	l.undo(now, w)
}

// undo gives back what a waiter that was not sent was charged.
func (l *Limiter) undo(now time.Time, w *Waiter) {
	if w.state == stateAdmitted {
		for s := range slots {
			l.taken[s] -= w.cost(s)
		}
		for _, s := range l.active {
			l.buckets[s].give(now, w.charge[s])
		}
		l.ramp.back()
	}
	w.state = stateIdle
}

// Release calls admit for each waiter that may be sent now, in order, and returns
// when to call it again; zero when nobody waits. Call it then, and after each call
// of another method while anybody waits. admit must not call the limiter. A waiter
// whose time has passed is dropped without a word: see Waiter.Until.
func (l *Limiter) Release(now time.Time, admit func(*Waiter)) time.Time {
	now = l.tick(now)
	for {
		w := l.line.head()
		if w == nil {
			return time.Time{}
		}
		if w.late(now) {
			l.line.remove(w)
			continue
		}
		wait := l.wait(now, w)
		if wait > 0 {
			w, wait = l.pass(now, w, wait)
			if wait > 0 {
				return now.Add(max(wait, time.Microsecond))
			}
		}
		l.line.remove(w)
		l.admit(now, w)
		admit(w)
	}
}

// admit charges w.
func (l *Limiter) admit(now time.Time, w *Waiter) {
	for s := range slots {
		l.taken[s] += w.cost(s)
		w.charge[s] = 0
	}
	for _, s := range l.active {
		w.charge[s] = l.price(w, s)
		l.buckets[s].take(now, w.charge[s])
	}
	w.state = stateAdmitted
	w.admitted = now.Sub(l.start)
	w.passed, w.passedCost = 0, 0
	l.ramp.take(w.admitted)
}

// price is what w costs in a slot, in thousandths.
func (l *Limiter) price(w *Waiter, s slot) int64 {
	return int64(float64(w.cost(s)) * l.buckets[s].factor * milli)
}

// Sent tells that w was written to the wire.
func (l *Limiter) Sent(now time.Time, w *Waiter) {
	now = l.tick(now)
	if w.state != stateAdmitted {
		return
	}
	w.state = stateSent
	w.sent = now.Sub(l.start)
	for s := range slots {
		l.sent[s] += w.cost(s)
		w.mark[s] = l.sent[s]
	}
	l.recent.add(w.sent, w)
	l.ramp.wrote(w.sent, w.sent-w.admitted)
}

// Answered tells of an answer that was no refusal, with its rate-limit headers.
func (l *Limiter) Answered(now time.Time, w *Waiter, h Headers) {
	now = l.tick(now)
	l.Sent(now, w)
	if w.state == stateSent {
		l.ramp.heard1 = true
		l.learnHeaders(now, w, h)
	}
	w.state = stateIdle
}
