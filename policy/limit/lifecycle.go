package limit

import (
	"time"
)

// restTime is for how long a configured limit that nobody asks is kept in any case: as long
// as its account may take to be full again.
const restTime = time.Minute

// Blank reports whether a new limiter would do as well: nobody waits, nothing was learned,
// and the accounts of what is configured are full.
func (l *Limiter) Blank(now time.Time) bool {
	if l.queue.length > 0 || l.counts.Refusals > 0 || now.Before(l.gate) || now.Before(l.bounded) {
		return false
	}
	for _, s := range l.active {
		if l.at(s).source != SourceConfigured || now.Sub(l.last) < restTime {
			return false
		}
	}
	return true
}

// Untried reports whether a new limiter would do as well for a burst too: it is blank, and no
// more went at once than a new one lets go.
func (l *Limiter) Untried(now time.Time) bool {
	return l.Blank(now) && (l.ramp.Untried() || !l.set.Learn)
}

// What a limiter takes, and what each bucket, the quotas and each legacy take more.
const (
	limiterBytes = 4864
	bucketBytes  = 1792
	quotaBytes   = 1152
	legacyBytes  = 64
)

// Size is about how many bytes the limiter takes, without those who wait.
func (l *Limiter) Size() int {
	n := limiterBytes
	for _, b := range l.opened {
		if b != nil {
			n += bucketBytes
		}
	}
	if l.allowed != nil {
		n += quotaBytes
	}
	return n + len(l.legacies)*legacyBytes
}

// Refusals is how many refusals were reported.
func (l *Limiter) Refusals() int { return l.counts.Refusals }

// Part returns a new limiter that those who wait and are mine wait at from now on. It has
// learned nothing but of the way there, since what l knows else is not about them.
func (l *Limiter) Part(now time.Time, mine func(*Waiter) bool) *Limiter {
	now = l.tick(now)
	n := New(l.set, now)
	n.latency = l.latency // the way is the same
	n.ramp.Follow(&l.ramp)
	if n.ramp.On {
		n.ramp.Start(coldQuota)
	}
	l.queue.move(&n.queue, mine, n.adopt)
	l.slowed, n.slowed = true, true
	return n
}

// Hand passes one that l admitted and that was not sent on to another limiter, which has
// admitted it from then on. For any other it does nothing.
func (l *Limiter) Hand(now time.Time, w *Waiter, to *Limiter) {
	l.follow(w)
	if w.owner != l || w.state != stateAdmitted {
		return
	}
	now = to.tick(l.tick(now))
	l.undo(now, w)
	to.adopt(w)
	to.admit(now, w)
}

// Rejected tells of an answer that found fault with w itself, such as a 400. Nothing was
// computed, so w is given back what it was charged but for the request: providers count that.
func (l *Limiter) Rejected(now time.Time, w *Waiter) {
	now = l.tick(now)
	l.Sent(now, w)
	l.follow(w)
	if w.owner != l || w.state != stateSent {
		return
	}
	w.state = stateIdle
	for u := range units {
		if u != unitRequest {
			l.refused[u] += w.cost(u)
		}
	}
	for _, s := range l.active {
		if s.counts() != unitRequest {
			b, back := l.bucket(s), l.refund(w, s)
			b.give(now, back)
			b.windows.give(now.Sub(l.start), back)
		}
	}
}

// idleTime is how long nobody must have asked before a limiter counts as idle. What
// it learned is worth keeping for as long as a Slow Down holds.
const idleTime = spikeHold

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
			b.wide, b.windows = true, fixedWindow{}
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
	if l.queue.length > 0 || now.Before(l.gate) || now.Sub(l.last) < long {
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
func (l *Limiter) Used() (time.Time, int) { return l.last, l.queue.length }
