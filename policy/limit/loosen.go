package limit

import "time"

// idleTime is how long nobody must have asked before a limiter counts as idle. What
// it learned is worth keeping for as long as a Slow Down holds.
const idleTime = spikeHold

// expelRest is how long Expel rests for each waiter that it looked at, which takes
// about 0.3 µs: with 10,000 in line a tenth of a second.
const expelRest = 10 * time.Microsecond

// loosen takes back restraints whose time is over: bursts over a second's share are
// tried again, and a ceiling that has grown out of reach goes.
func (l *Limiter) loosen(now time.Time) {
	t := now.Sub(l.start)
	if l.at(slotSpike).active && l.spike.rate*l.spike.growth(t) > spikeEnd*l.spike.cut {
		l.drop(slotSpike)
	}
	if l.tight == 0 || t < l.tight {
		return
	}
	l.tight = 0
	for _, s := range l.active {
		b := l.bucket(s)
		if b.source == SourceHeader && b.ceiling == 0 {
			b.wide, b.shares = true, shares{}
			b.resize(now)
		}
	}
	l.ramp.Start(coldQuota)
}

// Idle reports whether the limiter may be dropped: nobody waits, nobody has asked
// for a quarter of an hour, and no limit by the hour or day is used up by half.
func (l *Limiter) Idle(now time.Time) bool { return l.Rests(now, idleTime) }

// Rests is as Idle, for one that has little to lose: nobody has asked for that long.
func (l *Limiter) Rests(now time.Time, long time.Duration) bool {
	if l.line.length > 0 || now.Before(l.gate) || now.Sub(l.last) < long {
		return false
	}
	for _, s := range l.active {
		b := l.bucket(s)
		if b.window >= longWindow && b.level(now) < b.limit*milli/2 {
			return false
		}
	}
	return true
}

// Used returns when the limiter was last asked or told anything, and how many wait.
func (l *Limiter) Used() (time.Time, int) { return l.last, l.line.length }

// Expel calls refuse for each waiter whose predicted wait now outlasts its deadline
// or the queue timeout or the limiter's Close, or that is Barred, after taking it out of the line. Limits fall, and waits are
// named, while requests wait: those that cannot be in time any more should hear it
// at once. It looks at the whole line if anything became slower since it last did, but
// a long line only now and then: Release tells when. refuse must not call the limiter.
func (l *Limiter) Expel(now time.Time, refuse func(*Waiter, Decision)) {
	now = l.tick(now)
	if !l.slowed || now.Before(l.expel) {
		return
	}
	l.slowed = false
	l.expel = now.Add(time.Duration(l.line.length) * expelRest)
	var ahead [units]int64
	check := func(w *Waiter) {
		if wait := l.barred(now, w); wait > 0 {
			l.line.remove(w)
			refuse(w, Decision{Reason: Barred, Wait: wait})
			return
		}
		wait := l.behind(now, w, &ahead)
		closing := l.closes(now, wait)
		if !closing && !w.outlasts(now, wait) {
			for u := range units {
				ahead[u] += w.cost(u)
			}
			return
		}
		l.line.remove(w)
		if closing {
			refuse(w, Decision{Reason: Closing, Wait: wait})
			return
		}
		refuse(w, Decision{Reason: TooLate, Wait: wait})
	}
	for _, w := range l.line.returned() {
		check(w)
	}
	for w := l.line.first; w != nil; {
		next := w.next
		check(w)
		w = next
	}
}
