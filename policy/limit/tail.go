package limit

import "time"

const (
	// tailLeast requests must have gone since the first refusal, in tailTime, for what became
	// of them to mean anything.
	tailLeast = 8
	tailTime  = 100 * time.Millisecond
	// tailThrough of them must have been let through: from the end of a share on none is.
	tailThrough = 3
	// hintGrowth is how much longer a wait must be than the first one to show that each
	// refusal makes it longer: a whole second is a matter of rounding. If what is waited
	// for comes whole seconds later, give or take jitterTime, it is another share.
	hintGrowth = 100 * time.Millisecond
	jitterTime = 10 * time.Millisecond
)

// tail is the first refusal of an episode. What was under way then shows the rate of an
// upstream that has nothing left. The zero value is none.
type tail struct {
	sent    time.Duration
	hint    time.Duration // the wait that it named
	mark    int64         // units sent, its own included
	refused int64         // units refused, its own included
}

// tailRate is the rate that the refusal of w shows, which belongs to the first episode of
// all, 0 if none. A first guess may be a burst that the upstream had saved up.
func (l *Limiter) tailRate(w *Waiter, s slot, hint time.Duration) float64 {
	b, u := l.bucket(s), s.counts()
	e := &b.estimate
	sent, refused := w.mark[u]-e.begun.mark, l.refused[u]-e.begun.refused
	span := w.sent - e.begun.sent
	if e.n != 1 || b.known() > 0 || span < tailTime || e.counted(sent) < tailLeast*e.unit {
		return 0
	}
	// What was sent before w and refused has come back before, or nearly.
	through := e.counted(sent - refused)
	longer := hint - e.begun.hint
	switch {
	case through >= tailThrough*e.unit:
		return (through + e.unit) / span.Seconds()
	case longer >= hintGrowth && longer%time.Second != 0 && (longer+span+jitterTime)%time.Second > 2*jitterTime:
		return e.counted(sent) / (longer + span).Seconds() // each is charged, and so waited for
	}
	return 0
}
