package limit

import "time"

// wait returns how long until w could go if it were first, 0 for now.
func (l *Limiter) wait(now time.Time, w *Waiter) time.Duration {
	t := now.Sub(l.start)
	wait := max(0, l.gate.Sub(now), l.bounds(now, w, nil))
	if l.ramp.On {
		l.ramp.Queued = l.line.length
		wait = max(wait, l.ramp.Wait(t, l.safe()))
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
	return float64(l.line.cost[s.counts()]) / float64(max(1, l.line.length))
}

// Predict returns how long w would wait if it came now, at the end of the line. Waits
// that rest on a mere guess are left out.
func (l *Limiter) Predict(now time.Time, w *Waiter) time.Duration { return l.predict(l.tick(now), w) }

// predict returns how long w would wait at the end of the line. It costs the same
// however long the line is.
func (l *Limiter) predict(now time.Time, w *Waiter) time.Duration {
	return l.behind(now, w, &l.line.cost)
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
		if b.shares.on {
			held := max(0, l.gate.Sub(now))
			wait = max(wait, held+b.shares.until(now.Sub(l.start)+held, int64(others)+price, b.share()))
		} else {
			wait = max(wait, b.until(now, others+b.need(price)))
		}
		if b.left.empty(now, int64(others)+price) {
			wait = max(wait, b.left.until.Sub(now))
		}
	}
	return wait
}

// guessed reports whether the speed rests on so little that no wait can be foretold.
func (b *bucket) guessed() bool {
	return b.estimate.doubling || b.estimate.doubtful || b.shares.tried()
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
