package concurrency

import "time"

// Known is a limit as processes that share it tell each other of it. The zero value is none.
type Known struct {
	Limit  int
	Source Evidence
}

// Known returns the limit without a probe.
func (l *Limiter) Known(now time.Time) Known {
	l.settle(now)
	if l.limit == 0 {
		return Known{}
	}
	return Known{l.limit, l.source}
}

// Adopt takes over what another process that shares the limit has learned. What is refused
// meanwhile was sent before it.
func (l *Limiter) Adopt(now time.Time, k Known) {
	if k.Limit == l.limit {
		return
	}
	l.trial, l.fellFrom, l.probed, l.reached = false, 0, time.Time{}, 0
	if k.Limit <= 0 {
		l.limit = 0
		l.forget()
		return
	}
	l.limit, l.source, l.last = min(max(k.Limit, floor), ceiling), k.Source, now
	l.step, l.gap = probeSize, max(l.gap, firstGap)
	l.gapAt, l.probeAt = l.limit, now.Add(l.gap)
}

// Others tells how many calls other processes that share the limit have under way.
func (l *Limiter) Others(n int) { l.others = max(n, 0) }

// Gap is how long the next probe waits, for others that would send one too; 0 is no limit.
func (l *Limiter) Gap() time.Duration {
	if l.limit == 0 {
		return 0
	}
	return max(l.gap, firstGap)
}
