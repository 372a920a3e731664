package limit

import (
	"math"
	"time"

	"outrigger/policy/limit/counts"
)

// How Slow Down is answered. OpenAI: "reduce your request rate to its original
// level, keep it for at least 15 minutes, then increase it gradually"; as a rule of
// thumb by no more than 50 % in 15 minutes (its guide to error codes, slow_down).
const (
	spikeHold   = 15 * time.Minute
	spikeGrowth = 1.5
	// spikeEnd is how far over the rate that was cut the ceiling is dropped.
	spikeEnd = 4
	// spikeShare is how little of the present rate the one before may have been for the
	// rise to be the spike; else nothing shows one, and half the present rate is used.
	spikeShare = 0.8
	// spikeLeast is how many requests more than chance the last second must have for it
	// to be the spike.
	spikeLeast = 10
)

// spike is the ceiling that Slow Down sets on requests. Times are offsets from the
// limiter's start. The zero value is none.
type spike struct {
	rate  float64 // requests per second while it is held
	until time.Duration
	acted time.Duration
	cut   float64 // the rate that was too high
	drain draining
}

// slowDown goes back to the rate before the spike, once until the hold is over. What
// is refused meanwhile only pauses everybody, for longer each time.
func (l *Limiter) slowDown(now time.Time, w *Waiter, hint time.Duration) {
	t := now.Sub(l.start)
	b := l.bucket(slotSpike)
	if b.active && t < l.spike.until {
		if w.admitted >= l.spike.acted {
			l.spike.refute()
			l.pause(now, hint)
		}
		return
	}
	present := l.recent.Now.Value(t, counts.PresentTime)
	if b.active {
		present = min(present, b.speed)
	}
	rate := present / 2
	second := float64(l.recent.Sum(t, counts.Requests, time.Second)) - spikeLeast
	if before := l.recent.Before(); before > 0 && before <= spikeShare*max(present, second) {
		rate = before
	}
	rate = max(rate, present/10, 1/maxHint.Seconds())
	l.spike = spike{rate: rate, until: t + spikeHold, acted: t, cut: present, drain: draining{most: mostMargin}}
	b.estimate.reset(rate, t)
	b.ahead, b.size = share(rate), share(rate)/burstShare
	if !b.active {
		b.source = SourceRefusals
		l.open(now, slotSpike, 0)
	}
	l.relax(now, t)
	b.lower(now, 0)
	l.ramp.Stop()
	if hint > 0 {
		l.hold(now, min(hint, maxHint))
	}
}

// relax lets the ceiling grow once the hold is over, and higher while a queue drains.
func (l *Limiter) relax(now time.Time, t time.Duration) {
	b := l.bucket(slotSpike)
	l.spike.adjust(t, l.line.length)
	b.estimate.reset(min(l.spike.rate*l.spike.times(t)/pace, maxUnits), t)
	b.pressed = true
	b.tune(now, t)
}

// growth is how many times the ceiling is higher at t than when it was set.
func (s spike) growth(t time.Duration) float64 {
	return math.Pow(spikeGrowth, max(0, t-s.until).Seconds()/spikeHold.Seconds())
}
