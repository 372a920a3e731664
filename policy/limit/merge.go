package limit

import (
	"time"
)

// legacy is what a limiter knows of one that it absorbed. It is kept by the one that
// goes on: the other may be another caller's to lock, where a Waiter that was sent before
// lines parted still names it.
type legacy struct {
	shift time.Duration // what an offset from the start is more here
	more  [units]int64  // what a count of what was sent is more here
}

// mostLegacies bounds how many are kept. A Waiter of one that is forgotten is taken for
// one that was never sent.
const mostLegacies = 64

// Absorb makes l the one limiter for what it and other admit, since both draw on one
// account. Those who wait at other stand in l's queue by their arrival. What other
// sent counts, and answers to it are l's to learn from: l is to be told of them, and of
// all that concerns a Waiter of other's. A limit is believed to be whole again where
// either had found that others use it too; l finds out if still others do. Other is to be
// of the same Settings, and not to be used any more.
func (l *Limiter) Absorb(now time.Time, other *Limiter) {
	now = l.tick(now)
	now = l.tick(other.tick(now))
	shift := other.start.Sub(l.start)
	l.absorbBuckets(now, other, shift)
	h := legacy{shift: shift}
	for u := range units {
		h.more[u] = l.sent[u] // all that l sent is taken to be the earlier
		l.taken[u] += other.taken[u]
		l.sent[u] += other.sent[u]
		l.refused[u] += other.refused[u]
	}
	l.recent.Absorb(&other.recent, now.Sub(l.start), now.Sub(other.start))
	l.inherit(other, h)
	l.queue.merge(&other.queue, l.follow)
	l.absorbAllowed(other, shift)
	if other.gate.After(l.gate) {
		l.gate = other.gate
	}
	if !other.ramp.On && len(other.active) > 0 {
		l.ramp.Stop()
	}
	l.ramp.Absorb(&other.ramp)
	l.latency, l.streak = max(l.latency, other.latency), max(l.streak, other.streak)
	l.counts.Add(other.counts)
	l.slowed, l.merged = true, true
	other.opened, other.active, other.allowed = [slots]*bucket{}, nil, nil // it may be remembered for long: see legacies
	l.anew(now)
}

// absorbBuckets takes over the limits that other knows, and the less of what is left.
func (l *Limiter) absorbBuckets(now time.Time, other *Limiter, shift time.Duration) {
	if other.tight > 0 && other.tight+shift > l.tight {
		l.tight = other.tight + shift
	}
	for _, s := range other.active {
		b, o := l.bucket(s), other.bucket(s)
		level, unheard := o.level(now), other.unheard(s)
		switch {
		case s == slotSpike && !b.active:
			l.spike = other.spike.shifted(shift)
			b.source, b.ahead = o.source, o.ahead
			b.estimate.reset(l.spike.rate, now.Sub(l.start))
			l.open(now, s, 0)
		case !b.active && o.window > 0:
			l.limits(now, s, o.limit, o.window, o.source)
			b.sure, b.toldAt, b.tariff, b.reading.continuous = o.sure, o.toldAt+shift, o.tariff, o.reading.continuous
		}
		if !b.active {
			continue
		}
		b.lower(now, min(b.level(now)-unheard, level-l.unheard(s)))
		if o.dry.After(b.dry) {
			b.dry = o.dry
		}
		b.reserve = 0
		b.counted = b.counted || o.counted
		b.size = max(b.size, o.size)
		if l.tight > now.Sub(l.start) && b.window < longWindow {
			b.wide = false
		}
		b.windows.absorb(&o.windows, now.Sub(l.start), shift)
		b.resize(now)
	}
}

// unheard is what is on its way since the last answer that told what is left, in
// thousandths; 0 where none did.
func (l *Limiter) unheard(s slot) float64 {
	b := l.bucket(s)
	if b.reading.mark[unitRequest] == 0 {
		return 0
	}
	return max(0, b.charge(s.counts(), amounts(l.taken).minus(b.reading.mark))) * milli
}

// anew lets all that was measured count from now on, with the whole of each limit.
func (l *Limiter) anew(now time.Time) {
	t := now.Sub(l.start)
	for _, s := range l.active {
		b, u := l.bucket(s), s.counts()
		e := &b.estimate
		if b.known() > 0 {
			e.reset(b.known(), t)
			e.firm = true
		}
		if e.n > 0 {
			e.marks, e.n = [len(e.marks)]mark{{t, l.sent[u] - l.refused[u], l.sent[u]}}, 1
		}
		e.acted, e.taken, e.misses = t, l.taken[u], 0
		b.reading.base, b.reading.end, b.reading.mark = basis{}, 0, amounts{}
		b.fall = fall{}
		l.tune(now, t, s)
		if b.windows.on { // it is not known what went of the one that runs
			b.windows.used = b.share()
		}
	}
}

// inherit keeps what is to be known of other and of those that it absorbed.
func (l *Limiter) inherit(other *Limiter, h legacy) {
	if l.legacies == nil || len(l.legacies)+len(other.legacies) >= mostLegacies {
		l.legacies = map[*Limiter]legacy{}
	}
	for gone, before := range other.legacies {
		before.shift += h.shift
		for u := range units {
			before.more[u] += h.more[u]
		}
		l.legacies[gone] = before
	}
	other.legacies = nil
	l.legacies[other] = h
}

// follow makes w l's own if it was of one that l absorbed.
func (l *Limiter) follow(w *Waiter) {
	h, ok := l.legacies[w.owner]
	if !ok {
		return
	}
	w.owner = l
	w.admitted += h.shift
	w.sent += h.shift
	for u := range units {
		w.mark[u] += h.more[u]
	}
}

// Split returns a limiter that knows the limits which l knows, and moves those who wait
// and are mine to its queue. What was sent stays l's.
func (l *Limiter) Split(now time.Time, mine func(*Waiter) bool) *Limiter {
	now = l.tick(now)
	n := New(l.set, now)
	for _, s := range l.active {
		b := l.bucket(s)
		if s == slotSpike || b.window <= 0 || b.source == SourceConfigured {
			continue
		}
		n.limits(now, s, b.limit, b.window, b.source)
		c := n.bucket(s)
		c.sure, c.tariff, c.size, c.reading.continuous = b.sure, b.tariff, b.size, b.reading.continuous
		if l.tight > now.Sub(l.start) && b.window < longWindow {
			n.tight, c.wide = l.tight-now.Sub(l.start), false
		}
		c.resize(now)
	}
	n.latency, n.gate, n.closing = l.latency, l.gate, l.closing
	n.absorbAllowed(l, -now.Sub(l.start))
	l.merged = false
	l.queue.move(&n.queue, mine, n.adopt)
	return n
}

// absorb takes over what shares there are if another knows.
func (s *fixedWindow) absorb(other *fixedWindow, t, shift time.Duration) {
	if !s.on && other.on {
		*s = fixedWindow{on: true, proven: other.proven, length: other.length, phase: other.phase + shift}
	}
	if s.on {
		s.begun = s.at(t)
		s.counts = s.counts || other.counts
	}
}

// shifted is the same by another start.
func (s spike) shifted(d time.Duration) spike {
	s.until += d
	s.acted += d
	s.drain.arrivals.Shift(d)
	return s
}
