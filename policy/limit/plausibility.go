package limit

import (
	"math/bits"
	"time"

	"outrigger/policy/limit/counts"
)

// What it takes to believe refusals that name no limit, no wait and no reason: so
// many of the last so many that were sent. A limit that is exceeded refuses several
// of them; an upstream that refuses one in ten at random refuses as many at any
// rate, and to slow down for it would be to slow down for ever.
const (
	doubtLeast = 4 // of 16
	// doubtMost and mostlyRefused are how many in recentTime, and which part of all, it
	// takes where they were seen to come at any rate.
	doubtMost     = 12
	mostlyRefused = 0.7
	// noiseTime is for how long either is held for true.
	noiseTime = 10 * time.Minute
)

// evenLeast refusals of which each came after as many requests as the others, give or take
// one or a part, mean a limit.
const (
	evenLeast = 5
	evenPart  = 8
)

// calmShare is which part of what passed lately is so much less that a limit would not
// refuse it; calmLeast is how many requests must have passed for that to mean anything.
const (
	calmShare = 0.4
	calmLeast = 8
)

// doubt remembers what became of the last requests, to tell bare refusals that mean a
// limit from those that mean nothing. A limit refuses what is over it; so refusals that
// go on when much less is sent than passed a while ago mean nothing. Each bit is a
// request that was sent, set by a bare refusal: silence is consent, since answers take
// much longer. The zero value has seen none.
type doubt struct {
	last   uint16           // the last that were sent
	long   uint16           // the last that were sent again, set by an unproven wait of over a minute
	calm   uint16           // those of a time in which much less was sent than passed before
	noise  time.Duration    // until then bare refusals are held to mean nothing
	limits time.Duration    // until then they are held to mean a limit
	after  [evenLeast]int64 // how many had been sent when the last bare refusals came
	free   int64            // not believed, and others passed since the one before: none is charged
}

// noteSent notes a request that was sent.
func (l *Limiter) noteSent(t time.Duration) {
	d := &l.doubts
	d.last <<= 1
	l.chances.last <<= 1
	d.long <<= 1
	if d.calm != 0 && l.calm(t) {
		d.calm <<= 1
	}
}

// Believes takes in a bare refusal, and reports whether it means a limit. One that does
// not concerns its own request alone, which backs off and comes back; Refused is not to
// be told of it.
func (l *Limiter) Believes(now time.Time) bool {
	now = l.tick(now)
	d, t := &l.doubts, now.Sub(l.start)
	even := d.even(l.sent[unitRequest])
	d.last |= d.last + 1 // the lowest that is not set
	n := l.recent.Doubted(t)
	if t < d.noise {
		if n < doubtMost || float64(n) < mostlyRefused*float64(l.recent.Sum(t, counts.Requests, recentTime)) {
			return false
		}
		d.noise, d.limits = 0, t+noiseTime
		return true
	}
	if l.contradicts(t) {
		d.noise, d.calm = t+noiseTime, 0
		l.unlearn()
		return false
	}
	if even || bits.OnesCount16(d.last) >= doubtLeast {
		return true
	}
	if d.after[0]-d.after[1] > 1 {
		d.free++
	}
	return false
}

// Repeated takes in a refusal of w that proves nothing, as the one before: it says nothing new,
// so its attempt counts neither for those that passed nor for those that did not, and takes
// nothing from them of a rate that rests on refusals.
func (l *Limiter) Repeated(now time.Time, w *Waiter) {
	now = l.tick(now)
	l.doubts.last, l.chances.last = skip(l.doubts.last), skip(l.chances.last)
	l.follow(w)
	if w.owner != l || w.state != stateSent {
		return
	}
	for _, s := range l.active {
		if b := l.bucket(s); b.source == SourceRefusals {
			b.give(now, w.charge[s])
			w.charge[s] = 0
		}
	}
}

// skip takes the lowest bit that is not set out of last.
func skip(last uint16) uint16 {
	below := ^last&(last+1) - 1 // the set bits under it
	return last>>1&^below | last&below
}

// even takes in a bare refusal that came when so many had been sent, and reports whether
// the last ones came after the same number each time. A limit that is exceeded by little
// refuses every so many-th request, and never as many of sixteen as to be believed.
func (d *doubt) even(sent int64) bool {
	copy(d.after[1:], d.after[:])
	d.after[0] = sent
	least, most := d.after[0]-d.after[1], int64(0)
	for i := range len(d.after) - 1 {
		if d.after[i+1] == 0 {
			return false
		}
		gap := d.after[i] - d.after[i+1]
		least, most = min(least, gap), max(most, gap)
	}
	return least > 1 && most-least <= max(1, least/evenPart)
}

// calm reports whether so much less was sent just before t than passed lately that a
// bare refusal has another reason than a limit.
func (l *Limiter) calm(t time.Duration) bool {
	passed := l.recent.Best(t)
	over := time.Second
	if passed < calmLeast*recentTime.Seconds() {
		over = recentTime
	}
	sent := float64(l.recent.Sum(t, counts.Requests, over)) / over.Seconds()
	return passed >= calmLeast && sent < calmShare*passed/recentTime.Seconds()
}

// unlearn drops what rests on refusals alone.
func (l *Limiter) unlearn() {
	for s := range slots {
		if b := l.at(s); b.active && b.source == SourceRefusals && s != slotSpike {
			l.drop(s)
		}
	}
	l.ramp.Start(coldQuota)
}

// Bare reports whether a refusal tells nothing but that it is one.
func (r Refusal) Bare() bool {
	return r.Hint == 0 && r.Limit == 0 && r.Window == 0 && !r.SlowDown &&
		len(r.Headers.Readings) == 0 && r.Headers.Reset == 0
}

// One answer of many may carry a header that no other has: written by a gateway, for
// another service, or broken. So a limit that appears amid answers which told none, or
// that is far under the one they told, is believed when a second answer says the same.
const (
	// outlierSilence is how many answers in a row must have told nothing of a limit.
	outlierSilence = 4
	// outlierShare is what part of a known limit a new one must be under.
	outlierShare = 0.2
	// outlierTime is how soon the second answer must come.
	outlierTime = 30 * time.Second
	// unsaidMost is after how many answers that do not repeat it a limit is forgotten by
	// which nothing was ever refused, headersHold after it was last told.
	unsaidMost = 16
)

// outlier is what is known of the answers about one limit. The zero value has seen none.
type outlier struct {
	unsaid int     // answers in a row that did not tell it
	limit  float64 // one that a single answer told, and when
	at     time.Duration
}

// outlier reports whether what an answer tells of a slot's limit needs a second one.
func (l *Limiter) outlier(t time.Duration, s slot, r Reading) bool {
	if r.Limit < 0 {
		return false
	}
	if r.Window >= longWindow {
		s = s.long()
	}
	o, known := &l.outliers[s], l.toldLimit(s)
	unsaid := o.unsaid
	o.unsaid = 0
	fresh := unsaid >= outlierSilence && (known == 0 || !alike(known, r.Limit))
	if !fresh && (known == 0 || r.Limit >= outlierShare*known) {
		return false
	}
	if o.limit > 0 && alike(o.limit, r.Limit) && t-o.at < outlierTime {
		return false
	}
	o.limit, o.at = r.Limit, t
	if known == 0 {
		o.unsaid = unsaid
	}
	return true
}

// toldLimit is the limit of a slot that headers told, 0 if they told none.
func (l *Limiter) toldLimit(s slot) float64 {
	if b := l.at(s); b.active && b.source == SourceHeader {
		return b.limit
	}
	return 0
}

// unsaid counts an answer for each limit that it did not tell, and forgets those that
// one answer told and none repeats: nothing else would ever refute them.
func (l *Limiter) unsaid(t time.Duration, h Headers) {
	var told [slots]bool
	for _, r := range h.Readings {
		if s, ok := slotOf(r.Dimension); ok {
			told[s], told[s.long()] = true, true
		}
	}
	for s := range slots {
		if told[s] || s == slotSpike {
			continue
		}
		o, b := &l.outliers[s], l.at(s)
		o.unsaid = min(o.unsaid+1, unsaidMost)
		if o.unsaid == unsaidMost && l.toldLimit(s) > 0 && b.estimate.n == 0 && b.ceiling == 0 && t-b.toldAt >= headersHold {
			l.drop(s)
		}
	}
}
