package limit

import (
	"math/bits"
	"time"
)

const (
	// firstPause is the wait after a refusal that is not about a limit and names no
	// wait; it doubles with each further one up to longestPause, until an answer.
	firstPause   = 250 * time.Millisecond
	longestPause = 8 * time.Second
	// longestDoubt is the most between tries while each is told to wait for longer
	// than is believed.
	longestDoubt = 10 * time.Minute
)

// hold lets nobody go for d.
func (l *Limiter) hold(now time.Time, d time.Duration) {
	if end := now.Add(d); end.After(l.gate) {
		l.gate = end
	}
}

// pause holds everybody for as long as a refusal asks that says nothing about the
// limit, and lets them out slowly afterwards.
func (l *Limiter) pause(now time.Time, hint time.Duration) {
	if hint == 0 {
		hint = min(firstPause<<min(l.streak, 16), longestPause)
	}
	if now.Before(l.gate) {
		// Others that were under way: one pause is enough.
		l.hold(now, min(hint, maxHint))
		return
	}
	l.streak++
	l.hold(now, min(hint, maxHint))
	l.ramp.Start(1)
}

// doubt takes in a wait of over a minute that nothing proves. One among many that pass
// is its own request's trouble: to wait for it would be an outage. Where several of the
// last requests met one, everybody is held for a minute and then a single one tries;
// twice as long each time that is told the same.
func (l *Limiter) doubt(now time.Time) {
	d := &l.doubts
	d.long |= d.long + 1
	if now.Before(l.gate) || bits.OnesCount16(d.long) < doubtLeast {
		return
	}
	l.hold(now, min(maxHint<<min(l.streak, 8), longestDoubt))
	l.streak++
	l.ramp.Try(max(coldStep, l.latency*5/4))
}
