package concurrency

import "time"

// Known is a limit as processes that share it tell each other of it. The zero value is none.
type Known struct {
	Limit  int
	Source Evidence
}

// sameTime is how far apart refusals of one event may be.
const sameTime = time.Second

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
//
// Of two that learned from refusals at about the same time the higher limit holds: each knows too
// little of what runs for the other. Then what is known here stays, and is for others to adopt.
func (l *Limiter) Adopt(now time.Time, k Known) {
	if k.Limit == l.limit || k.Limit > 0 && k.Limit < l.limit && now.Sub(l.last) < sameTime {
		return
	}
	l.trial, l.fellFrom, l.probed, l.reached = false, 0, time.Time{}, 0
	if k.Limit <= 0 {
		l.limit = 0
		l.forget()
		return
	}
	if l.limit == 0 {
		l.since = now
	}
	l.limit, l.source, l.last = min(max(k.Limit, floor), ceiling), k.Source, now
	l.step, l.gap = probeSize, max(l.gap, firstGap)
	l.gapAt, l.probeAt = l.limit, now.Add(l.gap)
}

// Share says that other processes share the limit.
func (l *Limiter) Share() { l.shared = true }

// Unshare ends that.
func (l *Limiter) Unshare() { l.shared, l.others, l.probes = false, 0, 0 }

// Others tells how many calls other processes that share the limit have under way.
func (l *Limiter) Others(n int) { l.others = max(n, 0) }

// Probes lets that many of the next calls be probes: no other process sends one meanwhile.
func (l *Limiter) Probes(n int) { l.probes = n }

// Run tells that so many calls of all processes hold a place. If there is a lower limit, and nothing
// was refused here lately, it was found too low: not all that ran was known then.
func (l *Limiter) Run(now time.Time, all int) {
	if l.limit > 0 && all > l.limit && now.Sub(l.last) >= l.consent {
		l.limit = min(all, ceiling)
	}
}

// Gap is how long the next probe waits, for others that would send one too; 0 is no limit.
func (l *Limiter) Gap() time.Duration {
	if l.limit == 0 {
		return 0
	}
	return max(l.gap, firstGap)
}
