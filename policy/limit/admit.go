package limit

import (
	"time"
)

// Release calls admit for each waiter that may be sent now, in order, and returns
// when to call it again; zero when nobody waits. Call it then, and after each call
// of another method while anybody waits. admit must not call the limiter. A waiter
// whose time has passed is dropped without a word: see Waiter.Until and Expel.
func (l *Limiter) Release(now time.Time, admit func(*Waiter)) time.Time {
	now = l.tick(now)
	for {
		w := l.queue.head()
		if w == nil {
			return time.Time{}
		}
		if w.late(now) {
			l.queue.remove(w)
			continue
		}
		wait := l.wait(now, w)
		if wait > 0 {
			w, wait = l.pass(now, w, wait)
		}
		if wait > 0 {
			return l.wake(now, wait)
		}
		l.queue.remove(w)
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
		if b.windows.on {
			b.windows.take(now.Sub(l.start), w.charge[s], b.share(), l.taken[s.counts()])
		}
	}
	if l.lease != nil {
		l.useLease(w)
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
	l.noteSent(w.sent)
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

// gathered returns the reserve at now.
func (b *bucket) gathered(now time.Time) int64 {
	idle := now.Sub(b.fullAt).Seconds()
	if b.wide || idle <= 0 {
		return b.reserve
	}
	return int64(min(float64(max(b.reserve, b.ahead-milli)), float64(b.reserve)+idle*b.speed*milli))
}

// reserved reports whether the reserve pays for cost: it may, as long as no second
// holds more than ahead.
func (b *bucket) reserved(now time.Time, t time.Duration, cost int64) bool {
	return cost <= b.gathered(now) && b.second.Sum(t)+cost <= b.ahead
}

// wait returns how long until w could go if it were first, 0 for now.
func (l *Limiter) wait(now time.Time, w *Waiter) time.Duration {
	t := now.Sub(l.start)
	wait := max(0, l.gate.Sub(now), l.bounds(now, w, nil))
	if l.ramp.On {
		l.ramp.Queued = l.queue.length
		wait = max(wait, l.ramp.Wait(t, l.safe()))
	}
	if l.leases() {
		if wait == 0 {
			wait = l.leaseFor(now, w)
		}
		return wait
	}
	for _, s := range l.active {
		b := l.bucket(s)
		if t-b.tuned >= even {
			l.tune(now, t, s)
		}
		wait = max(wait, b.wait(now, t, l.price(w, s)))
	}
	return wait
}

// tune brings a bucket's speed to what is believed at t.
func (l *Limiter) tune(now time.Time, t time.Duration, s slot) {
	if s == slotSpike {
		l.relax(now, t)
		return
	}
	l.bucket(s).tune(now, t)
}

// price is what w costs in a slot, in thousandths.
func (l *Limiter) price(w *Waiter, s slot) int64 {
	return int64(l.at(s).price(s.counts(), w.amounts()) * milli)
}

// safe is how many requests may go at once after idleness: a second's worth of the
// tightest limit that is known by the minute. They may be larger than those that went.
func (l *Limiter) safe() int {
	least := 0.0
	for _, s := range l.active {
		b := l.bucket(s)
		if b.unclear {
			return 0
		}
		rate := b.known() / max(b.estimate.unit, l.waiting(s))
		if rate > 0 && b.window < longWindow && (least == 0 || rate < least) {
			least = rate
		}
	}
	return int(min(least, maxUnits))
}

// waiting is what those who wait cost in a slot on average, 0 if nobody does.
func (l *Limiter) waiting(s slot) float64 {
	return float64(l.queue.cost[s.counts()]) / float64(max(1, l.queue.length))
}

// Predict returns how long w would wait if it came now, at the end of the queue. Waits
// that rest on a mere guess are left out.
func (l *Limiter) Predict(now time.Time, w *Waiter) time.Duration { return l.predict(l.tick(now), w) }

// predict returns how long w would wait at the end of the queue. It costs the same
// however long the queue is.
func (l *Limiter) predict(now time.Time, w *Waiter) time.Duration {
	return l.behind(now, w, &l.queue.cost)
}

// behind returns how long w would wait behind others: until each bucket has refilled
// for what they cost, and for w. Buckets whose rate is a mere guess are left out.
func (l *Limiter) behind(now time.Time, w *Waiter, ahead *[units]int64) time.Duration {
	wait := max(l.wait(now, w), l.bounds(now, w, ahead))
	for _, s := range l.active {
		b, u := l.bucket(s), s.counts()
		price := l.price(w, s)
		if price == 0 || ahead[u] == 0 || b.guessed() {
			continue
		}
		others := b.charge(u, *ahead) * milli
		if b.windows.on {
			held := max(0, l.gate.Sub(now))
			wait = max(wait, held+b.windows.until(now.Sub(l.start)+held, int64(others)+price, b.share()))
		} else {
			wait = max(wait, l.amongOthers(b.until(now, others+b.need(price))))
		}
		if b.left.empty(now, int64(others)+price) {
			wait = max(wait, b.left.until.Sub(now))
		}
	}
	return wait
}

// guessed reports whether the speed rests on so little that no wait can be foretold.
func (b *bucket) guessed() bool {
	return b.estimate.doubling || b.estimate.doubtful || b.windows.probing()
}

// neverFits reports whether w alone is larger than a limit that is sure. What was
// let through once fits, whatever the estimate says.
func (l *Limiter) neverFits(w *Waiter) bool {
	for _, s := range l.active {
		b := l.bucket(s)
		price := float64(w.cost(s.counts()))
		if s.counts() == unitToken {
			price *= b.factor()
		}
		if b.sure && price > b.limit && w.cost(s.counts()) > b.reading.fitted {
			return true
		}
	}
	return false
}

// Close says that nothing is let through after until: whose predicted wait outlasts that is
// turned away, now and later, as Closing. Call Expel and Release afterwards.
func (l *Limiter) Close(until time.Time) {
	l.closing, l.slowed, l.expel = until, true, time.Time{}
}

// closes reports whether a wait that starts now ends after the limiter has closed.
func (l *Limiter) closes(now time.Time, wait time.Duration) bool {
	return !l.closing.IsZero() && wait > 0 && now.Add(wait).After(l.closing)
}
