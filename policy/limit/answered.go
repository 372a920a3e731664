package limit

import (
	"math"
	"time"
)

// reading is the last header that was learned from, and what it made likely.
type reading struct {
	at         time.Duration // when the request that brought it was sent
	continuous bool          // the limit refills continuously, so far as seen
	likely     time.Duration // a window that one answer implied and another must confirm,
	used       float64       // and what was used of the limit in that answer
	reset      time.Duration // and its reset
	resetMode  resetMode
	end        time.Duration // when all is there again, as last told
	mark       amounts       // what had been sent when it was
	fitted     int64         // largest cost that was let through
	base       basis         // where the factor is measured from
	settled    bool          // whether it has been
	capped     bool          // whether the level was more than what remained
	tariff     tariff        // by which that was told from what was under way
}

// classes are the windows that limits are for.
var classes = [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}

const (
	// believed is how far off a class an implied window may be, and leastSteps how
	// many steps of its notation a reset must have for the implication to mean much.
	believed   = 0.25
	leastSteps = 20
	// apart is how different two answers' usage must be to confirm each other.
	apart = 1.5
	// apartReset is how different their resets must be, in the same direction.
	apartReset = 1.2
	// same is how little a limit may change to count as the same.
	same = 0.005
)

// learnHeaders learns from the headers of w's answer, which accepted it or did not.
func (l *Limiter) learnHeaders(now time.Time, w *Waiter, h Headers, accepted bool) {
	l.counts.IgnoredHeaders += h.Ignored
	if !l.set.Learn {
		return
	}
	for _, r := range h.Readings {
		s, ok := slotOf(r.Dimension)
		if !ok || r.Limit < 0 && r.Remaining < 0 {
			continue
		}
		if r.Quota && r.Limit < 0 {
			if accepted {
				l.allow(now, w, s, r)
			}
			continue // it names no limit to learn
		}
		if !r.Sensible() || l.refuted(now, s, r.Limit, max(r.Window, time.Minute)) || accepted && l.outlier(now.Sub(l.start), s, r) {
			l.counts.IgnoredHeaders++
			continue
		}
		if accepted {
			l.allow(now, w, s, r)
		}
		l.learnReading(now, w, s, r, accepted)
	}
	if accepted {
		l.unsaid(now.Sub(l.start), h)
	}
}

// learnReading learns from one limit that w's answer told.
func (l *Limiter) learnReading(now time.Time, w *Waiter, s slot, r Reading, accepted bool) {
	window, sure := l.windowOf(s, r)
	if sure && window >= longWindow {
		l.forget(s, r.Limit)
		s = s.long()
	} else if sure {
		l.forget(s.long(), r.Limit)
	} else if long := l.at(s.long()); long.active && long.source == SourceHeader && alike(long.limit, r.Limit) {
		s, window = s.long(), long.window
	}
	b := l.bucket(s)
	if accepted && s.counts() == unitToken && r.Remaining >= 0 {
		l.fell(now, w, s, r)
	}
	if b.active && w.sent < b.reading.at {
		return // an answer to an earlier request than the last: what it tells is old
	}
	l.told(now, s, r.Limit, window, sure)
	l.cap(now, w, s, r, accepted)
}

// windowOf returns the window that r's limit is for, and whether that is sure:
// named by the header, or implied by how long the used part takes to come back.
// One answer is enough to imply a minute, or an hour or a day by a reset that no
// minute's window can have. Else chance could: near the end of a fixed window few
// seconds bring back much. Then a second answer with another usage must agree.
func (l *Limiter) windowOf(s slot, r Reading) (time.Duration, bool) {
	if r.Window > 0 {
		return r.Window, true
	}
	b, long := l.bucket(s), l.at(s.long())
	known := b.active && b.source == SourceHeader && alike(b.limit, r.Limit) && b.sure
	used := r.Limit - r.Remaining
	if r.Remaining < 0 || used <= 0 || r.Reset <= 0 || r.Reset < leastSteps*r.Resolution {
		return l.assumed(b), known
	}
	implied := r.Reset.Seconds() * r.Limit / used
	for _, c := range classes {
		if math.Abs(implied/c.Seconds()-1) > believed {
			continue
		}
		if c == time.Minute || c > time.Minute && r.Reset > time.Minute || b.reading.confirms(c, used, r.Reset) {
			b.reading.continuous = !b.reading.resetMode.fixed
			l.continuous(s.long(), !long.reading.resetMode.fixed)
			return c, true
		}
		if b.reading.likely != c {
			b.reading.likely, b.reading.used, b.reading.reset = c, used, r.Reset
		}
		return l.assumed(b), known
	}
	b.reading.continuous, b.reading.likely = false, 0
	return l.assumed(b), known
}

// confirms reports whether a second answer implies the window c as the one before did,
// with another usage and a reset to fit. Where a minute of the clock begins all of it
// comes back at its end, however much is used: that implies any window in turn.
func (b *reading) confirms(c time.Duration, used float64, reset time.Duration) bool {
	more, less := used/b.used, b.used/used
	longer := reset.Seconds() / b.reset.Seconds()
	return b.likely == c && (more >= apart && longer >= apartReset || less >= apart && 1/longer >= apartReset)
}

// assumed is the window of a limit that nothing tells: what is known, or a minute.
func (l *Limiter) assumed(b *bucket) time.Duration {
	if b.active && b.window > 0 {
		return b.window
	}
	return time.Minute
}

// forget drops what an unsure header put into the wrong slot.
func (l *Limiter) forget(s slot, limit float64) {
	if b := l.at(s); b.active && b.source == SourceHeader && alike(b.limit, limit) {
		l.drop(s)
	}
}

// alike reports whether two limits are the same.
func alike(a, b float64) bool { return math.Abs(a-b) <= same*max(a, b) }

// told takes in a limit that a header told.
func (l *Limiter) told(now time.Time, s slot, limit float64, window time.Duration, sure bool) {
	b, t := l.bucket(s), now.Sub(l.start)
	if b.ceiling > 0 && limit/window.Seconds() >= b.ceiling {
		l.limits(now, s, b.ceiling*60, time.Minute, SourceConfigured)
		return
	}
	l.limits(now, s, limit, window, SourceHeader)
	b.toldAt, b.sure = t, sure
}

// limits sets what is known of a slot. What was observed of it stays while that is
// the same.
func (l *Limiter) limits(now time.Time, s slot, limit float64, window time.Duration, source Source) {
	b, t := l.bucket(s), now.Sub(l.start)
	if b.active && b.source == source && alike(b.limit, limit) && b.window == window {
		return
	}
	l.slowed = true
	b.limit, b.window, b.source = limit, window, source
	b.estimate.reset(b.known(), t)
	b.estimate.firm = true
	b.ahead = share(b.known())
	b.wide = window >= longWindow || source == SourceHeader && b.ceiling == 0 && t >= l.tight
	if !b.active {
		l.open(now, s, limit*milli)
	}
	b.resize(now)
	b.tune(now, t)
}

// share is what of a rate may go at once after idleness: a second's worth. OpenAI
// says that 60 per minute may be enforced as 1 per second
// (help.openai.com/en/articles/5955604).
func share(rate float64) int64 { return int64(min(rate, maxUnits) * milli) }

// cap lowers a level to what the answer to w says is left, less what was sent
// after w, plus what came in since. It never raises it, but for what turns out to
// have been charged too much.
func (l *Limiter) cap(now time.Time, w *Waiter, s slot, r Reading, accepted bool) {
	b := l.bucket(s)
	if r.Remaining < 0 || !b.active {
		return
	}
	u := s.counts()
	b.reading.resetMode.learn(w.sent, r, b.window)
	back := 0.0
	if u == unitToken {
		back = b.settle(basis{w.sent, w.sent + r.Reset, r.Remaining, amounts(w.mark).minus(l.refused)}, r.Limit)
		if accepted {
			b.bound(w.amounts(), r.Limit-r.Remaining)
		}
	}
	last := b.reading.at
	b.reading.at = w.sent
	defer func() { b.reading.end, b.reading.mark = w.sent+r.Reset, w.mark }()
	if l.merged && u == unitRequest && r.Remaining >= r.Limit-spareLeast {
		b.spareAt(now.Sub(l.start))
	}
	since := now.Sub(l.start) - w.sent
	left := (r.Remaining - b.charge(u, amounts(l.taken).minus(w.mark))) * milli
	most := left + b.known()*since.Seconds()*milli
	if accepted && w.probing && r.Remaining < float64(w.cost(u)) && last < w.sent {
		b.left.refute(now)
		l.counts.IgnoredHeaders++
		return
	}
	if l.lease != nil {
		l.lease.tell(s, most)
	}
	level := b.level(now)
	b.reading.tariff, b.reading.capped = b.tariff, level > most
	if level > most {
		b.lower(now, most)
	} else if begun := min(left, b.begun(w, r, u, l.taken)); b.wide && accepted && begun > level {
		b.set(now, begun)
	} else if back > 0 {
		b.give(now, int64(min(back, most-level)))
	}
	b.left.until, b.left.first, b.whole = time.Time{}, 0, time.Time{}
	if b.reading.resetMode.fixed {
		b.left.first, b.whole = fixedProbe, now.Add(r.Reset-since)
	}
	if !b.reading.continuous && r.Reset > 0 {
		b.left.set(now, int64(left), now.Add(min(r.Reset, time.Minute)-since))
	}
}
