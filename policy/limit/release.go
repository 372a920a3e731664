package limit

import "time"

// Release calls admit for each waiter that may be sent now, in order, and returns
// when to call it again; zero when nobody waits. Call it then, and after each call
// of another method while anybody waits. admit must not call the limiter. A waiter
// whose time has passed is dropped without a word: see Waiter.Until and Expel.
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
		}
		if wait > 0 {
			return l.wake(now, wait)
		}
		l.line.remove(w)
		l.admit(now, w)
		admit(w)
	}
}

// wake is when to call Release again: after wait, or when Expel is to look.
func (l *Limiter) wake(now time.Time, wait time.Duration) time.Time {
	next := now.Add(max(wait, time.Microsecond))
	if l.slowed && l.expel.After(now) && l.expel.Before(next) {
		return l.expel
	}
	return next
}

// admit charges w.
func (l *Limiter) admit(now time.Time, w *Waiter) {
	w.probing = l.spend(now, w)
	w.charge = [slots]int64{}
	for _, s := range l.active {
		b := l.bucket(s)
		w.charge[s] = l.price(w, s)
		w.probing = w.probing || b.left.empty(now, w.charge[s])
		b.take(now, now.Sub(l.start), w.charge[s])
		if b.shares.on {
			b.shares.take(now.Sub(l.start), w.charge[s], b.share(), l.taken[s.counts()])
		}
	}
	for u := range units {
		l.taken[u] += w.cost(u)
	}
	l.spike.drain.admitted++
	w.state = stateAdmitted
	w.admitted = now.Sub(l.start)
	w.passed, w.passedCost = 0, 0
	l.ramp.Take(w.admitted)
}

// Sent tells that w was written to the wire. It counts once for each admission.
func (l *Limiter) Sent(now time.Time, w *Waiter) {
	l.follow(w)
	if w.owner != l || w.state != stateAdmitted {
		return
	}
	now = l.tick(now)
	w.state = stateSent
	w.sent = now.Sub(l.start)
	for u := range units {
		l.sent[u] += w.cost(u)
		w.mark[u] = l.sent[u]
	}
	l.recent.Add(w.sent, w.amounts())
	l.history.Add(w.sent, 1)
	l.hope(w.sent)
	l.ramp.Wrote(w.sent, w.sent-w.admitted, w.Connect)
}

// Answered tells of an answer to w that was no refusal, with its rate-limit headers.
func (l *Limiter) Answered(now time.Time, w *Waiter, h Headers) {
	now = l.tick(now)
	l.Sent(now, w)
	if w.owner != l || w.state != stateSent {
		return
	}
	w.state = stateIdle
	l.ramp.Answered(now.Sub(l.start)-w.sent, h.Worked)
	l.streak = 0
	l.learnHeaders(now, w, h, true)
	l.disprove(now, w)
	for _, s := range l.active {
		b := l.bucket(s)
		b.reading.fitted = max(b.reading.fitted, w.cost(s.counts()))
	}
}
