package limit

import "time"

// Configure puts other settings into force, as New takes them. What was learned stays where
// it still holds: a configured limit takes the place of what was learned of the same
// dimension, unless the upstream told a tighter one, and leaves the others alone. Without
// Learn all that was learned is forgotten. Call Release afterwards.
func (l *Limiter) Configure(now time.Time, s Settings) {
	now = l.tick(now)
	before := l.set
	if s == before {
		return
	}
	l.set = s
	knew := len(l.active) > 0
	l.reconfigure(now, slotRequests, before.RPM, s.RPM)
	l.reconfigure(now, slotTokens, before.TPM, s.TPM)
	if before.Learn && !s.Learn {
		l.forgetLearned(now)
	}
	if s.Learn && len(l.active) == 0 && (knew || !before.Learn) {
		l.ramp.Start(coldQuota)
	}
	l.slowed = true // some may have become too late, or be no more
}

// reconfigure changes the limit that the operator knows of a slot; 0 is none.
func (l *Limiter) reconfigure(now time.Time, s slot, before, after int) {
	if before == after {
		return
	}
	b := l.bucket(s)
	b.ceiling = float64(min(after, maxUnits)) / 60
	switch told := b.active && b.source == SourceHeader; {
	case after > 0 && told && b.known() < b.ceiling: // it is tighter, and stays
		b.wide = b.window >= longWindow
		b.resize(now)
		l.tune(now, now.Sub(l.start), s)
	case after > 0:
		b.limit = 0 // a small change is one too
		l.configure(now, s, after)
	case b.active && b.source == SourceConfigured:
		l.drop(s)
	case b.active:
		l.tune(now, now.Sub(l.start), s)
	default:
		l.shut(s)
	}
}

// forgetLearned forgets all that is not configured.
func (l *Limiter) forgetLearned(now time.Time) {
	for s := range slots {
		b := l.at(s)
		switch {
		case !b.active || b.source == SourceConfigured:
		case b.ceiling > 0:
			l.bucket(s).limit = 0
			l.configure(now, s, int(b.ceiling*60+0.5))
		default:
			l.drop(s)
		}
	}
	l.ramp.Stop()
}
